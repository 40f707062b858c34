"""Replay the exits of everything that was ever listed, and keep what it came to (§13, §16)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from django.db import transaction

from analytics.calc import sessions
from analytics.calc.learned_facts import LEARNED
from analytics.errors import DomainError
from analytics.models import DetectorReport, ExitRule, JobRun, ResearchSheet, Trial, Variant
from analytics.services import (
    backtesting,
    bulk,
    detector_lists,
    discovery,
    exits,
    lakes,
    panels,
    revisions,
)

if TYPE_CHECKING:
    from analytics.calc.detector_report_rows import Rows
    from analytics.calc.exits import Costs, Rule

CHUNK = 500  # sessions measured from one reading

Clock = Callable[[], datetime]
Progress = Callable[[int, int, str], None]


class NothingListed(DomainError):
    """No variant listed anything."""


@dataclass(frozen=True, kw_only=True)
class Latest:
    """The newest report and how old it is."""

    report: DetectorReport
    age_seconds: float


def record_report(
    *, source: str, clock: Clock, on_progress: Progress, job: JobRun | None = None
) -> DetectorReport:
    """Replay every list of every variant under every exit rule, and store the figures.

    Every combination that is looked at is written into the ledger of trials. The same lake,
    models and rules give the same digest.

    Raises:
        NothingListed: No variant lists anything on a session with bars.
        discovery.NoVariant: There is no active variant.
    """
    from analytics.calc import detector_report
    from analytics.calc.exits import Costs

    begun = clock()
    rules, own = exits.get_rules(), list(ExitRule.objects.active().by_name())
    variants = discovery.get_variants()
    slippage = max(variant.slippage_bp for variant in variants) / 10_000
    costs = Costs(rate=Costs.rate + slippage)
    on_progress(0, 1, "listing history")
    lists = detector_lists.get_lists(source=source, now=begun)
    rows, versions = _measure(lists, source, rules, costs, on_progress)
    names = sorted({variant.name for variant in variants} | set(lists["variant"]) | {LEARNED})
    parameters = _parameters(source, rows, rules, costs, variants)
    keys = _keys(parameters, names, [*(rule.name for rule in rules), detector_report.CHOSEN])
    question = detector_report.Question(
        variants=names,
        rules=rules,
        source=source,
        ledger=_ledger(source, keys) + _unrecorded(source, lists),
    )
    on_progress(1, 1, "computing figures")
    result = detector_report.report(rows, question)
    with transaction.atomic():
        ended = clock()
        stored = DetectorReport.objects.create(
            first=date.fromisoformat(result["first"]),
            last=date.fromisoformat(result["last"]),
            untouched_year=result["untouched_year"],
            parameters=parameters,
            result=result,
            digest=backtesting.digest_of([parameters, result]),
            lake_versions=versions,
            code_revision=revisions.get_code_revision(),
            job=job,
            seconds=(ended - begun).total_seconds(),
            created_at=begun,
            finished_at=ended,
            source=source,
        )
        stored.rules.set(own)
        bulk.insert(Trial, _trials(keys, result, source, ended))
    return stored


def get_latest(*, source: str, now: datetime) -> Latest | None:
    """Return the newest report of a realm and its age; None without one."""
    beside = lakes.sources_beside(source)
    report = DetectorReport.objects.beside(beside).newest_first().first()
    if report is None:
        return None
    return Latest(report=report, age_seconds=max((now - report.finished_at).total_seconds(), 0.0))


def _measure(
    lists: pl.DataFrame,
    source: str,
    rules: "Sequence[Rule]",
    costs: "Costs",
    on_progress: Progress,
) -> "tuple[Rows, dict[str, int]]":
    """Return every list with what followed, over the sessions that any variant listed."""
    from analytics.calc import detector_report_rows, outcomes

    if lists.is_empty():
        raise NothingListed(f"No variant lists anything in the {source} data.")
    covered = lakes.lake_of(source).sessions()
    numbers = np.array([sessions.number(day) for day in covered], np.int32)
    reach = outcomes.coverage(numbers, size=sessions.calendar().size)
    days = lists["session"].unique().sort().to_list()
    numbered = lists.with_columns(number=_numbers(lists["session"]))
    parts, versions = [], {}
    for at in range(0, len(days), CHUNK):
        part = days[at : at + CHUNK]
        on_progress(at, len(days), "replaying exits")
        reading = panels.get_panel(
            source=source, first=part[0], last=part[-1], ahead=detector_report_rows.AHEAD
        )
        versions = reading.versions
        parts.append(
            detector_report_rows.measure(
                reading.panel,
                numbered.filter(pl.col("session").is_between(part[0], part[-1])),
                numbers=np.array([sessions.number(day) for day in part], np.int32),
                reach=reach,
                rules=rules,
                costs=costs,
            )
        )
    return detector_report_rows.join(parts), versions


def _numbers(days: pl.Series) -> pl.Series:
    found = np.searchsorted(sessions.calendar(), days.to_numpy().astype("datetime64[D]"))
    return pl.Series(found.astype(np.int32))


def _parameters(
    source: str,
    rows: "Rows",
    rules: "Sequence[Rule]",
    costs: "Costs",
    variants: Sequence[Variant],
) -> dict[str, Any]:
    return {
        "source": source,
        "first": sessions.day(int(rows.number[0])).isoformat(),
        "last": sessions.day(int(rows.number[-1])).isoformat(),
        "variants": {variant.name: str(variant) for variant in variants},
        "rules": [asdict(rule) for rule in rules],
        "costs": asdict(costs),
    }


def _keys(parameters: dict[str, Any], variants: Sequence[str], rules: Sequence[str]) -> list[str]:
    """Return the key of each combination in the ledger; the same look again has the same key."""
    from analytics.calc import detector_report

    told = {name: parameters[name] for name in ("source", "first", "last", "costs")}
    by_name = {rule["name"]: rule for rule in parameters["rules"]}
    return [
        blake2b(
            repr(
                (sorted(told.items(), key=str), parameters["variants"].get(name, name), most)
                + ((by_name[rule],) if rule in by_name else (rule, parameters["rules"]))
            ).encode(),
            digest_size=16,
        ).hexdigest()
        for name in variants
        for most in detector_report.TRADED
        for rule in rules
    ]


def _ledger(source: str, keys: list[str]) -> int:
    """Return how many different trials the ledger holds with these in it."""
    held = Trial.objects.beside(lakes.sources_beside(source)).exclude(key__in=keys)
    return held.values("key").distinct().count() + len(set(keys))


def _unrecorded(source: str, lists: pl.DataFrame) -> int:
    """Return how many designs of the learned variant were tried without being in the ledger here.

    They enter it with the trial of the designs; the choice among them was made before.
    """
    from analytics.calc import learned_designs

    recorded = ResearchSheet.objects.filter(
        source__in=lakes.sources_beside(source), subject=ResearchSheet.Subject.DESIGNS
    )
    if LEARNED not in set(lists["variant"]) or recorded.exists():
        return 0
    return len(learned_designs.TRIED)


def _trials(keys: list[str], result: dict[str, Any], source: str, now: datetime) -> dict[str, Any]:
    """Return a line of the ledger per combination that is not in it yet.

    Without a Sharpe ratio: what is measured is no daily portfolio.
    """
    known = set(Trial.objects.beside((source,)).filter(key__in=keys).values_list("key", flat=True))
    fresh = [key for key in keys if key not in known]
    size = len(fresh)
    return {
        "run_id": [None] * size,
        "variant_id": [None] * size,
        "key": fresh,
        "sharpe": [None] * size,
        "sessions": [result["scopes"][0]["sessions"]] * size,
        "returns": [{}] * size,
        "created_at": [now] * size,
        "source": [source] * size,
    }
