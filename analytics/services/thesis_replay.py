"""Ask Claude about an old case once more, as it was or masked. No thesis is issued (design §9)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from analytics.calc import masking
from analytics.calc.thesis_draft import Draft
from analytics.clients.claude import Claude
from analytics.models import CallPurpose
from analytics.services import claude_author
from analytics.services.claude_author import Clock, Sleep


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What came back: a thesis in prices of the market, and its cost [USD]."""

    draft: Draft
    cost_usd: float


def ask(
    *,
    client: Claude,
    pack: Mapping[str, Any],
    masked: bool,
    clock: Clock,
    sleep: Sleep = time.sleep,
) -> Replayed:
    """Return what Claude says of a stored pack today.

    Args:
        client: See :func:`claude_author.connect`.
        pack: As it was stored with a thesis.
        masked: Hide symbol, names and dates, and rescale prices; see :mod:`masking`.
        clock: Reads the time, aware.
        sleep: Waits.

    Raises:
        ClaudeFailed: Nothing usable came, or the budget of the day is used up.
    """
    close = float(pack["features"]["close"])
    hidden = masking.mask(pack) if masked else None
    written = claude_author.write(
        pack=hidden.pack if hidden else pack,
        close=close * hidden.scale if hidden else close,
        clock=clock,
        purpose=CallPurpose.REPLAY,
        sleep=sleep,
        client=client,
    )
    draft = written.draft
    if hidden:
        draft = replace(
            draft,
            entry=hidden.price(draft.entry),
            target=hidden.price(draft.target),
            stop=hidden.price(draft.stop),
            max_entry=hidden.price(draft.max_entry),
        )
    return Replayed(draft=draft, cost_usd=float(written.cost_usd))
