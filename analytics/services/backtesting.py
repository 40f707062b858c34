"""Replay discovery over history, trade it on paper, and keep what came of it (design §16)."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

import numpy as np
from django.db import transaction

from analytics.calc import sessions
from analytics.errors import DomainError
from analytics.models import BacktestRun, JobRun, LookaheadCertificate, Variant
from analytics.services import discovery, historical_winners, lakes, panels, revisions, trials

CHUNK = 500  # sessions measured from one reading

Clock = Callable[[], datetime]
Progress = Callable[[int, int, str], None]


class NothingToTest(DomainError):
    """There are no bars in the period."""


class BadTerms(DomainError):
    """The terms of trading make no sense."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is tested.

    Attributes:
        source: Whose market data.
        first, last: Sessions, both included; None is the beginning or the end of the data.
        variants: Names; the newest active version of each. None is every active one.
        terms: Fields of :class:`analytics.calc.backtest.Terms` that differ from its defaults.
    """

    source: str
    first: date | None = None
    last: date | None = None
    variants: Sequence[str] | None = None
    terms: dict[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Latest:
    """The newest finished backtest and how old it is."""

    run: BacktestRun
    age_seconds: float
    certificate: LookaheadCertificate | None


def record_backtest(
    *, question: Question, clock: Clock, job: JobRun | None = None, on_progress: Progress
) -> BacktestRun:
    """Run a backtest and store it with its trials. The same again gives the same digest.

    Raises:
        NothingToTest: No bars between ``first`` and ``last``.
        BadTerms: A term is out of its range.
        discovery.NoVariant: A name has no active version.
    """
    begun = clock()
    variants = discovery.get_variants(names=question.variants)
    parameters, result, returns, versions = _compute(question, variants, on_progress)
    winners = historical_winners.get_all(source=question.source, variants=variants)
    ended = clock()
    with transaction.atomic():
        run = BacktestRun.objects.create(
            first=date.fromisoformat(parameters["first"]),
            last=date.fromisoformat(parameters["last"]),
            parameters=parameters,
            result=result,
            winners=winners,
            digest=digest_of([parameters, result, winners]),
            lake_versions=versions,
            code_revision=revisions.get_code_revision(),
            job=job,
            seconds=(ended - begun).total_seconds(),
            created_at=begun,
            finished_at=ended,
            source=question.source,
        )
        for variant in variants:
            trials.record(
                run=run,
                variant=variant,
                key=_key(parameters, str(variant)),
                returns=returns[str(variant)],
            )
        run.deflation = {
            name: trials.get_deflation(source=question.source, returns=own)
            for name, own in returns.items()
        }
        run.save(update_fields=["deflation"])
    return run


def get_latest(*, source: str, now: datetime) -> Latest | None:
    """Return the newest finished backtest of a realm, its age and the newest certificate."""
    beside = lakes.sources_beside(source)
    run = BacktestRun.objects.beside(beside).newest_first().first()
    if run is None:
        return None
    certificate = LookaheadCertificate.objects.filter(source__in=beside).order_by("-pk").first()
    age = (now - run.finished_at).total_seconds()
    return Latest(run=run, age_seconds=max(age, 0.0), certificate=certificate)


def digest_of(content: Any) -> str:
    """Return a digest of plain data, 32 hexadecimal digits."""
    text = json.dumps(content, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _compute(
    question: Question, variants: Sequence[Variant], on_progress: Progress
) -> tuple[dict[str, Any], dict[str, Any], dict[str, dict[str, float]], dict[str, int]]:
    """Return parameters, figures by variant, daily returns by variant and lake versions."""
    from analytics.calc import backtest, backtest_report, outcomes

    try:
        terms = backtest.Terms(**(question.terms or {}))  # type: ignore[arg-type]  # checked there
    except (TypeError, ValueError) as error:
        raise BadTerms(f"these terms cannot be used: {error}") from error
    covered = lakes.lake_of(question.source).sessions()
    days = _period(covered, question)
    numbers = np.array([sessions.number(day) for day in covered], dtype=np.int32)
    reach = outcomes.coverage(numbers, size=sessions.calendar().size)
    rules = [discovery.rules_of(variant, source=question.source) for variant in variants]
    references = discovery.get_references()
    stretches, versions = [], {}
    on_progress(0, len(days), "reading market data")
    for at in range(0, len(days), CHUNK):
        part = days[at : at + CHUNK]
        reading = panels.get_panel(
            source=question.source, first=part[0], last=part[-1], ahead=backtest.AHEAD
        )
        versions = reading.versions
        stretches.append(
            backtest.measure(
                reading.panel,
                variants=rules,
                references=references,
                first=part[0],
                last=part[-1],
                reach=reach,
                terms=terms,
            )
        )
        on_progress(min(at + CHUNK, len(days)), len(days), f"replayed up to {part[-1]}")
    figures, returns = {}, {}
    for variant, record in zip(variants, backtest.join(stretches), strict=True):
        figures[str(variant)], returns[str(variant)] = backtest_report.report(
            record, terms=terms, slippage_bp=variant.slippage_bp, source=question.source
        )
    parameters = {
        "source": question.source,
        "first": days[0].isoformat(),
        "last": days[-1].isoformat(),
        "terms": asdict(terms),
        "variants": {
            str(variant): own.described() | {"slippage_bp": variant.slippage_bp}
            for variant, own in zip(variants, rules, strict=True)
        },
        "references": [asdict(known) for known in references],
    }
    return parameters, figures, returns, versions


def _period(covered: list[date], question: Question) -> list[date]:
    """Return the sessions with bars that were asked for."""
    days = [
        day
        for day in covered
        if (question.first is None or day >= question.first)
        and (question.last is None or day <= question.last)
    ]
    if not days:
        first, last = question.first or "the beginning", question.last or "the end"
        raise NothingToTest(f"There are no {question.source} bars from {first} to {last}.")
    return days


def _key(parameters: dict[str, Any], variant: str) -> str:
    own = {name: parameters[name] for name in ("source", "first", "last", "terms")}
    return digest_of(own | {"rules": parameters["variants"][variant]})
