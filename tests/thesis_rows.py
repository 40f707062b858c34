"""Settled theses for tests: each call states only what the test is about."""

from datetime import date
from itertools import count
from typing import Any

from analytics.calc import sessions
from performance.calc import accuracy_loss
from performance.models import ThesisAccuracy
from tests import factories
from tests.factories import NOW, SESSION

_symbol = count(1)


def make_settled(*, hit: bool = True, session: date = SESSION, **fields: Any) -> ThesisAccuracy:
    """Store a thesis and its settlement: the target first, or the stop.

    Fields of the thesis are given as ``thesis__...``, or with it as ``thesis``.
    """
    said = {name[8:]: fields.pop(name) for name in [*fields] if name.startswith("thesis__")}
    thesis = fields.pop("thesis", None)
    if thesis is None:
        said.setdefault("symbol", f"T{next(_symbol)}")
        thesis = factories.make_thesis(session=session, **said)
    change = 0.5 if hit else -0.15
    entry = sessions.offset(thesis.session, 1)
    losses = accuracy_loss.losses([thesis.p_target], [hit])
    wanted: dict[str, Any] = {
        "settlement": "target" if hit else "stop",
        "reason": "",
        "is_final": True,
        "entry_session": entry,
        "exit_session": sessions.offset(entry, 2),
        "settled_session": sessions.offset(thesis.session, thesis.horizon),
        "sessions_held": 3,
        "entry_price": 3.0,
        "exit_price": 3.0 * (1 + change),
        "return_horizon": change,
        "return_exit": change,
        "right_if_up": hit,
        "right_if_down": not hit,
        "right_if_flat": False,
        "target_reached": hit,
        "brier": float(losses.brier[0]),
        "log_loss": float(losses.log_loss[0]),
        "updated_at": NOW,
        "source": thesis.source,
    }
    down = thesis.recommendation in {"TRIM", "LIQUIDATE", "AVOID"}
    right = wanted["right_if_flat"] if thesis.recommendation == "HOLD" else hit != down
    return ThesisAccuracy.objects.create(
        thesis=thesis, **{"direction_right": right, **wanted, **fields}
    )
