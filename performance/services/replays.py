"""Masked replay: does the model judge, or remember? (design §9)

Settled cases are put to Claude as they were and masked. What it is better by when it can see which
stock and when is the memory lift.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc import outcomes, sessions, thesis_settlement
from analytics.calc.evidence import Estimate
from analytics.calc.thesis_calls import CALLS
from analytics.calc.thesis_draft import Draft
from analytics.calc.thesis_settlement import Questions
from analytics.clients.claude import ClaudeFailed
from analytics.errors import DomainError
from analytics.models import AuthorKind
from analytics.services import claude_author, claude_models, lakes, panels, thesis_replay
from performance.calc import accuracy_figures
from performance.calc.accuracy_figures import Basis
from performance.calc.accuracy_loss import losses
from performance.models import ThesisAccuracy
from performance.models.accuracy import Settlement

TELLING = outcomes.LISTING_GAP + 1  # sessions after a horizon that tell a halt from an end
SETTLED = (Settlement.TARGET, Settlement.STOP, Settlement.NEITHER)
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class NoCases(DomainError):
    """No thesis with a data pack has settled yet."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A settled stock-day: the pack of its thesis, and whether it was explosive."""

    symbol: str
    session: date
    pack: Mapping[str, Any]
    explosive: bool


@dataclass(frozen=True, kw_only=True)
class View:
    """How the answers of one way of asking held.

    Attributes:
        accuracy: Share of right calls.
        brier_explosive: Mean Brier score of ``p_explosive``; the event is the same however asked.
        brier_target: Mean Brier score of ``p_target``; each answer has barriers of its own.
    """

    accuracy: Estimate
    brier_explosive: Estimate
    brier_target: Estimate


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What a replay found.

    Attributes:
        asked: Cases put; ``compared``: those answered both ways and settled.
        after_cutoff: Of the compared, those that may count as skill; the others never do.
        cutoff: Training cut-off of the model; None if not known, and then none may.
        plain, masked: How the answers held.
        memory_lift: Accuracy as it was minus masked, paired by case.
        memory_lift_brier: Brier score of ``p_explosive`` masked minus as it was, paired.
        skill: How the masked answers after the cut-off held.
        failed: Why cases were not answered, by reason.
        cost_usd: Of the cases that were answered both ways.
    """

    asked: int
    compared: int
    after_cutoff: int
    cutoff: date | None
    plain: View
    masked: View
    memory_lift: Estimate
    memory_lift_brier: Estimate
    skill: View
    failed: dict[str, int]
    cost_usd: float


def get_cases(*, source: str, count: int) -> list[Case]:
    """Return settled stock-days, the same ones each time; one per symbol and session.

    Raises:
        NoCases: There are none.
    """
    rows = (
        ThesisAccuracy.objects.filter(
            source__in=lakes.sources_beside(source),
            settlement__in=SETTLED,
            explosive__isnull=False,
            thesis__author_kind__in=[AuthorKind.RULES, AuthorKind.CLAUDE],
        )
        .select_related("thesis")
        .only("explosive", "thesis__symbol", "thesis__session", "thesis__data_pack")
        .order_by("thesis__symbol", "thesis__session", "thesis__number")
    )
    found: dict[tuple[str, date], Case] = {}
    for row in rows:
        thesis = row.thesis
        if thesis.data_pack:
            found.setdefault(
                (thesis.symbol, thesis.session),
                Case(
                    symbol=thesis.symbol,
                    session=thesis.session,
                    pack=thesis.data_pack,
                    explosive=bool(row.explosive),
                ),
            )
    if not found:
        raise NoCases(f"No {source} thesis with a data pack has settled yet.")
    drawn = sorted(found.values(), key=lambda case: _draw(f"{case.symbol} {case.session}"))
    return drawn[:count]


def replay(
    *,
    source: str,
    count: int,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None] = time.sleep,
) -> Replay:
    """Put settled cases to Claude both ways and compare.

    Args:
        source: Of the cases.
        count: Cases at most; each takes two calls.
        clock: Reads the time, aware.
        sleep: Waits, between two calls of a busy provider.

    Raises:
        NoCases: See :func:`get_cases`.
        ClaudeFailed: There is no key.
    """
    cases = get_cases(source=source, count=count)
    failed: Counter[str] = Counter()
    answered: list[tuple[Case, Draft, Draft]] = []
    cost = 0.0
    with claude_author.connect() as client:
        ask = partial(thesis_replay.ask, client=client, clock=clock, sleep=sleep)
        for case in cases:
            try:
                both = [ask(pack=case.pack, masked=masked) for masked in (False, True)]
            except ClaudeFailed as error:
                failed[error.reason] += 1
                continue
            cost += sum(one.cost_usd for one in both)
            answered.append((case, both[0].draft, both[1].draft))
    return _compared(source, cases, answered, dict(failed), cost)


def _compared(
    source: str,
    cases: Sequence[Case],
    answered: Sequence[tuple[Case, Draft, Draft]],
    failed: dict[str, int],
    cost: float,
) -> Replay:
    own = [case for case, _plain, _masked in answered]
    plain = _scored(source, own, [draft for _case, draft, _masked in answered])
    masked = _scored(source, own, [draft for _case, _plain, draft in answered])
    known = plain.known & masked.known
    cutoff = claude_models.get_cutoff().day
    later = np.array([cutoff is not None and case.session > cutoff for case in own], np.bool_)
    basis = _basis(source, own)
    both = basis.chosen(known)
    right = plain.right.astype(np.float64) - masked.right
    return Replay(
        asked=len(cases),
        compared=int(known.sum()),
        after_cutoff=int((known & later).sum()),
        cutoff=cutoff,
        plain=_view(plain, known, basis),
        masked=_view(masked, known, basis),
        memory_lift=accuracy_figures.mean(right[known], both),
        memory_lift_brier=accuracy_figures.mean((masked.explosive - plain.explosive)[known], both),
        skill=_view(masked, known & later, basis),
        failed=failed,
        cost_usd=cost,
    )


@dataclass(frozen=True, kw_only=True)
class _Scores:
    """One value per case: is it settled, was the call right, what did the probabilities cost."""

    known: Flags
    right: Flags
    target: Floats
    explosive: Floats


def _scored(source: str, cases: Sequence[Case], drafts: Sequence[Draft]) -> _Scores:
    if not cases:
        none, nothing = np.zeros(0, np.bool_), np.zeros(0)
        return _Scores(known=none, right=none, target=nothing, explosive=nothing)
    found = _settle(source, cases, drafts)
    right = thesis_settlement.calls_right(found.state, found.figures[:, thesis_settlement.RETURN])
    calls = [CALLS[draft.recommendation] for draft in drafts]
    p_target = np.array([draft.p_target for draft in drafts])
    p_explosive = np.array([draft.p_explosive or 0.0 for draft in drafts])
    explosive = np.array([case.explosive for case in cases], np.bool_)
    return _Scores(
        known=found.settled,
        right=np.array([bool(right[call][at]) for at, call in enumerate(calls)], np.bool_),
        target=losses(p_target, found.hit).brier,
        explosive=losses(p_explosive, explosive).brier,
    )


def _settle(
    source: str, cases: Sequence[Case], drafts: Sequence[Draft]
) -> thesis_settlement.Settlements:
    days = [case.session for case in cases]
    horizon = np.array([draft.horizon for draft in drafts], np.int32)
    panel = panels.get_panel(
        source=source,
        first=min(days),
        last=max(days),
        symbols=sorted({case.symbol for case in cases}),
        ahead=int(horizon.max()) + TELLING,
    ).panel
    place = {symbol: at for at, symbol in enumerate(panel.symbols)}
    covered = np.array([sessions.number(day) for day in lakes.lake_of(source).sessions()], np.int32)
    return thesis_settlement.settle(
        panel,
        Questions(
            symbol=np.array([place.get(case.symbol, -1) for case in cases], np.int64),
            session=np.array([sessions.number(day) for day in days], np.int32),
            horizon=horizon,
            target=np.array([draft.target for draft in drafts]),
            stop=np.array([draft.stop for draft in drafts]),
        ),
        reach=outcomes.coverage(covered, size=sessions.calendar().size),
    )


def _view(scores: _Scores, rows: Flags, basis: Basis) -> View:
    chosen = basis.chosen(rows)
    return View(
        accuracy=accuracy_figures.rate(scores.right[rows], chosen),
        brier_explosive=accuracy_figures.mean(scores.explosive[rows], chosen),
        brier_target=accuracy_figures.mean(scores.target[rows], chosen),
    )


def _basis(source: str, cases: Sequence[Case]) -> Basis:
    days = [case.session for case in cases]
    return Basis(
        session=np.array([sessions.number(day) for day in days], np.int32),
        source=source,
        as_of=max(days, default=None),
    )


def _draw(key: str) -> str:
    return sha256(key.encode()).hexdigest()
