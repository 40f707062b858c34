"""A/B tests of variants: registered before they start, read each night (design §17)."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from analytics.calc import ab_power, ab_test, sessions
from analytics.errors import DomainError
from analytics.models import (
    DiscoveryBatch,
    Experiment,
    ExperimentMode,
    ExperimentReading,
    ExperimentState,
    Variant,
)
from analytics.services.ab_readings import newest_reading, record_reading, session_after
from analytics.services.job_registry import Report

MINIMAL_EFFECT = 0.01  # one point of explosive rate: the default of the form


class InvalidExperiment(DomainError):
    """The experiment cannot be registered like this."""


class NotRunning(DomainError):
    """The experiment is over."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The power calculation that is shown before an experiment is registered.

    Attributes:
        deviation: Standard deviation of block means in history [fraction]; None without one.
        history_blocks: Blocks that it was read from.
        minimal_effect: Difference that is to be found.
        power: Chance of finding it in time.
        blocks, sessions: Needed; None if 20 years are not enough.
        answerable_on: Session on which the last of them can be read.
        smallest: What a year (9 blocks) would find with that chance.
        reason: Why a figure is missing.
    """

    deviation: float | None
    history_blocks: int
    minimal_effect: float
    power: float
    blocks: int | None
    sessions: int | None
    answerable_on: date | None
    smallest: float | None
    reason: str = ""

    def as_plain(self) -> dict[str, Any]:
        """Return plain values for a JSON column."""
        day = self.answerable_on
        return asdict(self) | {"answerable_on": day.isoformat() if day else None}


YEAR_BLOCKS = 9


def get_plan(
    *, history: ExperimentReading | None, minimal_effect: float, first_session: date
) -> Plan:
    """Return how long a test of ``minimal_effect`` has to run.

    Args:
        history: Newest reading of the retrospective experiment of the same variants.
        minimal_effect: Smallest difference that matters.
        first_session: Of the experiment.
    """
    past = [point["block"] for point in history.sequence] if history else []
    noise = ab_power.noise(np.array(past, np.float64))
    nothing = Plan(
        deviation=None,
        history_blocks=len(past),
        minimal_effect=minimal_effect,
        power=ab_power.POWER,
        blocks=None,
        sessions=None,
        answerable_on=None,
        smallest=None,
        reason=f"{len(past)} blocks of history, {ab_power.FEWEST_BLOCKS} are needed",
    )
    if noise is None:
        return nothing
    blocks = ab_power.planned_blocks(effect=minimal_effect, noise=noise)
    found = {
        "deviation": noise.deviation,
        "smallest": ab_power.smallest_effect(blocks=YEAR_BLOCKS, noise=noise),
    }
    if blocks is None:
        reason = f"not answerable: more than {ab_power.MOST_BLOCKS * ab_test.BLOCK} sessions"
        return Plan(**{**asdict(nothing), **found, "reason": reason})
    count = ab_power.sessions_needed(blocks)
    return Plan(
        **{
            **asdict(nothing),
            **found,
            "blocks": blocks,
            "sessions": count,
            "answerable_on": session_after(first_session, count - 1),
            "reason": "",
        }
    )


def get_plan_of(
    *, variant_a: Variant, variant_b: Variant, minimal_effect: float, source: str, now: datetime
) -> Plan:
    """Return the plan of an experiment that would be registered ``now``."""
    past = get_retrospective(variant_a=variant_a, variant_b=variant_b, source=source)
    return get_plan(
        history=newest_reading(past),
        minimal_effect=minimal_effect,
        first_session=_next_session(now),
    )


def register(
    *,
    name: str,
    variant_a: Variant,
    variant_b: Variant,
    source: str,
    minimal_effect: float,
    planned_sessions: int | None,
    now: datetime,
    registered_by: User | None = None,
) -> Experiment:
    """Write an experiment down before its first session, which is the next one to open.

    From now on neither variant can be changed.

    Args:
        planned_sessions: As the plan says if None.

    Raises:
        InvalidExperiment: The two are one variant or not both active, nothing says how long
            to run, or the pair has a running experiment.
    """
    if variant_a.pk == variant_b.pk:
        raise InvalidExperiment("A variant cannot be compared with itself.")
    if not (variant_a.active and variant_b.active):
        raise InvalidExperiment("Only active variants are scored every session.")
    first = _next_session(now)
    plan = get_plan_of(
        variant_a=variant_a,
        variant_b=variant_b,
        minimal_effect=minimal_effect,
        source=source,
        now=now,
    )
    planned = planned_sessions or plan.sessions
    if planned is None:
        raise InvalidExperiment(f"Say how many sessions are planned: {plan.reason}.")
    try:
        with transaction.atomic():
            return Experiment.objects.create(
                name=name,
                variant_a=variant_a,
                variant_b=variant_b,
                rules=_rules(variant_a, variant_b),
                minimal_effect=minimal_effect,
                planned_sessions=planned,
                plan=plan.as_plain(),
                first_session=first,
                registered_at=now,
                registered_by=registered_by,
                source=source,
            )
    except IntegrityError as error:
        raise InvalidExperiment("These variants have a running experiment already.") from error


def stop(*, experiment: Experiment, reason: str, now: datetime) -> None:
    """End a running experiment early; what was read stays.

    Raises:
        NotRunning: It is over.
    """
    ended = Experiment.objects.running().filter(pk=experiment.pk)
    if not ended.update(state=ExperimentState.STOPPED, ended_at=now, end_reason=reason[:200]):
        raise NotRunning(f"{experiment} is over.")


def record_retrospective(
    *,
    variant_a: Variant,
    variant_b: Variant,
    source: str,
    now: datetime,
    report: Report | None = None,
) -> ExperimentReading | None:
    """Read the history of two variants as if it had been an experiment, labelled as such.

    Returns:
        The reading; None if there is no session that both scanned.
    """
    oldest = (
        DiscoveryBatch.objects.of(source)
        .current()
        .filter(variant__in=[variant_a, variant_b])
        .order_by("session")
        .values_list("session", flat=True)
        .first()
    )
    if oldest is None:
        return None
    experiment, _ = Experiment.objects.get_or_create(
        mode=ExperimentMode.RETROSPECTIVE,
        variant_a=variant_a,
        variant_b=variant_b,
        source=source,
        defaults={
            "name": f"{variant_a} against {variant_b}, looking back",
            "rules": _rules(variant_a, variant_b),
            "minimal_effect": MINIMAL_EFFECT,
            "first_session": oldest,
            "registered_at": now,
            "state": ExperimentState.COMPLETED,
            "ended_at": now,
            "end_reason": "looking back: its sessions were over when it was made",
        },
    )
    return record_reading(experiment=experiment, now=now, report=report)


def record_all(*, source: str, now: datetime, report: Report | None = None) -> dict[str, int]:
    """Read every running experiment, and the default pair retrospectively."""
    running = Experiment.objects.running().live().of(source)
    read = [
        record_reading(experiment=experiment, now=now, report=report)
        for experiment in running.select_related("variant_a", "variant_b")
    ]
    pair = default_pair()
    if pair:
        past = record_retrospective(
            variant_a=pair[0], variant_b=pair[1], source=source, now=now, report=report
        )
        read.append(past)
    return {"experiments": len(read), "readings": sum(reading is not None for reading in read)}


def default_pair() -> tuple[Variant, Variant] | None:
    """Return the newest active versions of A and B, if both are there."""
    found = {v.name: v for v in Variant.objects.active().order_by("version")}
    return (found["A"], found["B"]) if {"A", "B"} <= set(found) else None


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What is known of a question about weights.

    Attributes:
        current: The live experiment, else the look back at its default pair.
        live, retrospective: Each by itself; of the same pair.
        note: What is missing, and why.
    """

    current: Experiment | None
    live: Experiment | None
    retrospective: Experiment | None
    note: str


def get_overview(*, source: str) -> Overview:
    """Return the current experiment, or the default pair A against B."""
    live = get_current(source=source)
    pair = (live.variant_a, live.variant_b) if live else default_pair()
    past = None
    if pair:
        past = get_retrospective(variant_a=pair[0], variant_b=pair[1], source=source)
    note = ""
    if live is None:
        note = "No experiment was registered: the default pair, looking back."
    if live is None and past is None:
        note = "No experiment was registered, and A against B was not read yet: the nightly job."
    return Overview(current=live or past, live=live, retrospective=past, note=note)


def get_current(*, source: str) -> Experiment | None:
    """Return the live experiment that was registered last, a running one first."""
    live = Experiment.objects.live().of(source).select_related("variant_a", "variant_b")
    newest = live.order_by("-registered_at", "-pk")
    return newest.running().first() or newest.first()


def get_retrospective(*, variant_a: Variant, variant_b: Variant, source: str) -> Experiment | None:
    """Return the look back at two variants, if it was made."""
    past = Experiment.objects.retrospective().of(source)
    pair = past.select_related("variant_a", "variant_b")
    return pair.filter(variant_a=variant_a, variant_b=variant_b).first()


def _rules(*variants: Variant) -> list[dict[str, Any]]:
    """Return what both variants were when they were compared."""
    kept = [f.name for f in Variant._meta.concrete_fields if f.name not in ("id", "active")]
    return [{name: getattr(variant, name) for name in kept} for variant in variants]


def _next_session(now: datetime) -> date:
    """Return the first session that opens after ``now``."""
    day = sessions.last_finished(now)
    while sessions.opening(day) <= now:
        day = sessions.offset(day, 1)
    return day
