"""Issue look-ahead certificates from the market data at hand (design §16)."""

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING

from analytics.calc import sessions
from analytics.errors import DomainError
from analytics.models import JobRun, LookaheadCertificate
from analytics.services import discovery, lakes, panels, revisions

if TYPE_CHECKING:
    from analytics.calc import lookahead

STOCK_DAYS = 200_000
LEAK_AHEAD = 70  # sessions of data that a planted leak needs after its session

Clock = Callable[[], datetime]
Progress = Callable[[int, int, str], None]


class NothingToCertify(DomainError):
    """There are no bars."""


def record_certificate(
    *,
    source: str,
    clock: Clock,
    stock_days: int = STOCK_DAYS,
    seed: int = 0,
    on_progress: Progress = lambda _done, _total, _message: None,
    job: JobRun | None = None,
) -> LookaheadCertificate:
    """Recompute sampled stock-days from truncated inputs, plant leaks, and store what was found.

    Raises:
        NothingToCertify: ``source`` has no bars.
        discovery.NoVariant: There is no active variant.
    """
    from analytics.calc import lookahead, lookahead_leaks

    begun = clock()
    lake = lakes.lake_of(source)
    coverage = lake.coverage()
    if coverage.is_empty():
        raise NothingToCertify(f"There are no {source} bars.")
    covered: list[date] = coverage["session"].to_list()
    wanted = lookahead.sample(
        covered, coverage["symbols"].to_list(), stock_days=stock_days, seed=seed
    )
    total = len(wanted) + 1
    versions = lake.versions()
    inputs, detector = get_inputs(source=source, last=covered[-1]), _detector(source)
    on_progress(0, total, "scanning with everything at hand")
    tally = lookahead.certify(
        inputs,
        detector,
        wanted,
        on_session=lambda done: on_progress(done, total, f"compared {done} sessions"),
    )
    planted = lookahead_leaks.plant(inputs, detector, _tries(wanted, covered[-1]))
    caught = sum(leak.differences > 0 for leak in planted)
    ended = clock()
    on_progress(total, total, "done")
    return LookaheadCertificate.objects.create(
        first=wanted[0],
        last=wanted[-1],
        sessions=len(wanted),
        stock_days=tally.stock_days,
        values=tally.values,
        differences=tally.differences,
        examples=tally.examples,
        leaks={leak.name: leak.found for leak in planted},
        leaks_planted=len(planted),
        leaks_caught=caught,
        passed=tally.differences == 0 and caught == len(planted) and tally.stock_days > 0,
        seed=seed,
        lake_versions=versions,
        code_revision=revisions.get_code_revision(),
        job=job,
        seconds=(ended - begun).total_seconds(),
        created_at=ended,
        source=source,
    )


def _detector(source: str) -> "lookahead.Detector":
    from analytics.calc import lookahead

    return lookahead.Detector(
        variants=[
            discovery.rules_of(variant, source=source) for variant in discovery.get_variants()
        ],
        references=discovery.get_references(),
    )


def _tries(wanted: list[date], last: date) -> list[date]:
    """Return the sessions on which leaks are tried, from the middle of the data outwards.

    Those too near the end have no future to leak.
    """
    end = sessions.number(last) - LEAK_AHEAD
    early = [day for day in wanted if sessions.number(day) <= end] or wanted
    middle = len(early) // 2
    return sorted(early, key=lambda day: abs(early.index(day) - middle))


def get_inputs(*, source: str, last: date) -> "lookahead.Inputs":
    """Read everything that the lake and the listings hold up to ``last``."""
    from analytics.calc import lookahead

    lake = lakes.lake_of(source)
    return lookahead.Inputs(
        bars=lake.read("bars", last=last, columns=panels.BAR_COLUMNS),
        securities=panels.get_securities(source=source, last=last),
        splits=lake.read("splits", last=last),
        short_interest=lake.read("short_interest", last=last),
        shares=lake.read("shares", last=last),
        short_volume=lake.read("short_volume", last=last),
        sentiment=lake.read("sentiment", last=last).drop_nulls("sentiment"),
        fails=lake.read("fails", last=last),
    )
