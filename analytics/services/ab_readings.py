"""What an A/B test says, appended night by night (design §17)."""

from datetime import date, datetime
from math import isfinite
from typing import Any

import numpy as np
from django.db import transaction

from analytics.calc import ab_power, ab_test, sessions
from analytics.calc.ab_metrics import METRICS, Paired
from analytics.calc.ab_test import GUARDRAIL, PRIMARY, SECONDARY, Blocks
from analytics.calc.ab_test import Sequence as Confidence
from analytics.models import Experiment, ExperimentMode, ExperimentReading, ExperimentState
from analytics.services.job_registry import Report
from analytics.services.shadow_lists import Lists, get_lists

DECISIVE = (ab_test.Verdict.A_BETTER, ab_test.Verdict.B_BETTER, ab_test.Verdict.FUTILE)


def record_reading(
    *, experiment: Experiment, now: datetime, report: Report | None = None
) -> ExperimentReading | None:
    """Read an experiment and append what it says, unless it says nothing new.

    A live experiment ends when it is decided or its planned sessions are over.

    Returns:
        The newest reading; None before the first session has settled.
    """
    live = experiment.mode == ExperimentMode.LIVE
    lists = get_lists(
        variants=[experiment.variant_a, experiment.variant_b],
        source=experiment.source,
        first=experiment.first_session,
        in_time=live,
        report=report,
    )
    if lists.paired is None or lists.settled < sessions.number(experiment.first_session):
        return newest_reading(experiment)
    values = _reading(experiment, lists.paired, lists)
    with transaction.atomic():
        reading, _ = ExperimentReading.objects.get_or_create(
            experiment=experiment,
            as_of=values.pop("as_of"),
            blocks=values.pop("blocks"),
            defaults={**values, "read_at": now},
        )
        if live:
            _end_if_over(experiment, reading, now)
    return reading


def newest_reading(experiment: Experiment | None) -> ExperimentReading | None:
    """Return the last reading of an experiment; None without one."""
    if experiment is None:
        return None
    return experiment.readings.order_by("-as_of", "-pk").first()


def _reading(experiment: Experiment, paired: Paired, lists: Lists) -> dict[str, Any]:
    """Return the columns of a reading."""
    first = sessions.number(experiment.first_session)
    level = experiment.level
    blocks = {
        metric: ab_test.block_means(
            paired.session, paired.difference(metric), first=first, settled=lists.settled
        )
        for metric in METRICS
    }
    found = {name: ab_test.sequence(block.mean, level=level) for name, block in blocks.items()}
    primary, guardrail = found[PRIMARY], found[GUARDRAIL]
    difference = paired.difference(PRIMARY)
    noise = ab_power.noise(blocks[PRIMARY].mean)
    return {
        "as_of": sessions.day(min(lists.settled, int(paired.session[-1]))),
        "blocks": primary.n,
        "sessions": int((~np.isnan(difference)).sum()),
        "picks": int(paired.picks.sum()),
        "effective_n": ab_test.effective_n(difference),
        "rate_a": paired.pooled(PRIMARY, 0),
        "rate_b": paired.pooled(PRIMARY, 1),
        "effect": _last(primary.effect),
        "low": _last(primary.low),
        "high": _last(primary.high),
        "log_e": _last(primary.log_e),
        "verdict": ab_test.verdict(
            primary, minimal_effect=experiment.minimal_effect, guardrail=guardrail
        ).value,
        "guardrail_breached": ab_test.guardrail_breached(primary, guardrail),
        "metrics": _metrics(paired, found, level),
        "sequence": _points(blocks[PRIMARY], primary),
        "answerable_on": _answerable(experiment, noise),
        "lake_versions": lists.versions,
    }


def _metrics(paired: Paired, found: dict[str, Confidence], level: float) -> dict[str, Any]:
    """Return guardrail and secondary metrics; the latter stand or fall together by e-BH."""
    evidence = {name: found[name].log_e[-1] for name in SECONDARY if found[name].n}
    stands = ab_test.e_bh(evidence, level=level)
    return {
        name: {
            "a": paired.pooled(name, 0),
            "b": paired.pooled(name, 1),
            "effect": _last(found[name].effect),
            "low": _last(found[name].low),
            "high": _last(found[name].high),
            "log_e": _last(found[name].log_e),
            **({"stands": name in stands} if name in SECONDARY else {}),
        }
        for name in (GUARDRAIL, *SECONDARY)
    }


def _points(blocks: Blocks, found: Confidence) -> list[dict[str, Any]]:
    return [
        {
            "session": sessions.day(int(blocks.last[at])).isoformat(),
            "block": float(blocks.mean[at]),
            "effect": float(found.effect[at]),
            "low": _finite(found.low[at]),
            "high": _finite(found.high[at]),
            "log_e": float(found.log_e[at]),
        }
        for at in range(found.n)
    ]


def _answerable(experiment: Experiment, noise: ab_power.Noise | None) -> date | None:
    """Return when the minimal effect is found at the present flow and noise."""
    if noise is None:
        return None
    blocks = ab_power.planned_blocks(
        effect=experiment.minimal_effect, noise=noise, level=experiment.level
    )
    if blocks is None:
        return None
    return session_after(experiment.first_session, ab_power.sessions_needed(blocks) - 1)


def _end_if_over(experiment: Experiment, reading: ExperimentReading, now: datetime) -> None:
    running = Experiment.objects.running().filter(pk=experiment.pk)
    if reading.verdict in DECISIVE:
        running.update(
            state=ExperimentState.DECIDED, ended_at=now, end_reason=f"verdict {reading.verdict}"
        )
    elif _over(experiment, reading.as_of):
        running.update(
            state=ExperimentState.COMPLETED, ended_at=now, end_reason="planned sessions are over"
        )


def _over(experiment: Experiment, settled: date) -> bool:
    """Return whether the planned sessions, the last window included, have passed."""
    passed = sessions.number(settled) - sessions.number(experiment.first_session) + 1
    return passed + ab_power.WINDOW >= (experiment.planned_sessions or 0)


def session_after(first: date, count: int) -> date | None:
    """Return the session ``count`` sessions after; None beyond the calendar."""
    try:
        return sessions.offset(first, count)
    except sessions.OutsideCalendar:
        return None


def _last(values: Any) -> float | None:
    return _finite(values[-1]) if len(values) else None


def _finite(value: float) -> float | None:
    return float(value) if isfinite(value) else None
