"""The endpoints of the scores with 100,000 trades and 1,000,000 tracked candidates on PostgreSQL.

    python -m benchmarks.bench_scores [--postgres postgresql://user@127.0.0.1:5432/postgres]

A database ``amc_bench_scores`` is made and dropped again. Times are of whole requests through all
middleware, without the network; the job that computes what they read is timed as well.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "amc_bench_scores"
SESSIONS, VARIANTS, KEPT = 2500, 4, 100  # 1,000,000 tracked candidates
TRADES = 100_000
HELD, THESES = 100, 10_000
SOURCE = "simulated"
ROUNDS = 30
WARM_MS, COLD_MS, MOST_QUERIES = 60.0, 500.0, 15
FIRST, LAST = date(2014, 7, 25), date(2024, 6, 28)
NOW = datetime(2024, 6, 28, 23, 0, tzinfo=UTC)
PAGES = {
    "performance": "/analytics/performance?source=simulated",
    "market timing, 30 days": "/performance/market-timing?source=simulated",
    "market timing, all": "/performance/market-timing?source=simulated&period_days=0",
    "discovery, 7 days": "/performance/discovery-analysis?source=simulated&end=2024-06-28",
    "discovery, 30 days": "/performance/discovery-analysis?source=simulated&end=2024-06-28"
    "&days_back=30",
    "risk management": "/performance/risk-management?source=simulated",
    "comprehensive report": "/performance/comprehensive-report?source=simulated&period_days=30",
    "thesis accuracy": "/performance/thesis-accuracy?source=simulated&period_days=30",
    "recovery page": "/recovery?range=90",
    "timing page": "/timing?range=all",
}


def fill() -> None:
    """Store batches, candidates, outcomes, analyses, fills and trades of ten years."""
    import numpy as np
    from django.contrib.auth.models import User

    from analytics.calc import sessions
    from analytics.models import Candidate
    from analytics.services import setup
    from tests import factories

    setup.store_baseline()
    User.objects.create_user("bench", password="bench", is_staff=True, is_superuser=True)
    last = sessions.number(LAST)
    days = [sessions.day(last - SESSIONS + 1 + at) for at in range(SESSIONS)]
    chance = np.random.default_rng(7)
    for name in "ABCD"[:VARIANTS]:
        variant = factories.make_variant(name=name)
        batch = factories.make_batch(session=days[0], variant=variant, source=SOURCE)
        _copy(
            batch, {"session": days[1:], "fingerprint": [f"{at:064d}" for at in range(1, SESSIONS)]}
        )
        keys = list(
            type(batch).objects.filter(variant=variant).order_by("pk").values_list("pk", flat=True)
        )
        analysis = factories.make_analysis(
            batch=batch, candidates=KEPT, settled=KEPT, first_settled=15, first_explosive=1,
            first_positive_14=6, first_sum_return_14=-0.2, mean_coverage=0.8,
            by_decile=[[1, 0, 0, 0, 90, 3]] * 10,
        )  # fmt: skip
        _copy(analysis, {"batch_id": keys[1:]})
        sample = factories.make_candidate(batch=batch, symbol="S0000", rank=1)
        places = [(key, at) for key in keys for at in range(KEPT)][1:]
        _copy(sample, {
            "batch_id": [key for key, _ in places],
            "symbol": [f"S{at:04d}" for _, at in places],
            "rank": [at + 1 for _, at in places],
            "first_signal": [at % 7 == 0 for _, at in places],
        })  # fmt: skip
        own = list(
            Candidate.objects.filter(batch__variant=variant)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        tracking = factories.make_tracking(candidate=sample)
        returns = chance.normal(-0.03, 0.2, len(own) - 1).clip(-1)
        _copy(tracking, {"candidate_id": own[1:], "return_14": returns.tolist()})
    _trade(days, own, chance)
    _issue(days, own, chance)


def _copy(sample, columns) -> None:
    """Store rows like ``sample`` but for some columns."""
    from analytics.services import bulk

    height = len(next(iter(columns.values())))
    like = {
        field.attname: [getattr(sample, field.attname)] * height
        for field in sample._meta.concrete_fields
        if not field.primary_key
    }
    bulk.insert(type(sample), {**like, **columns})


def _trade(days, candidates, chance) -> None:
    """Store trades with their fills, each linked to a candidate, and ten years of equity."""
    from decimal import Decimal

    from analytics.models import Candidate
    from performance.models import EquityDay, Fill, Trade
    from tests import factories

    account = factories.make_account(source=SOURCE)
    fill_ = factories.make_fill(account=account, source=SOURCE)
    _copy(fill_, {"broker_id": [f"b{at}" for at in range(TRADES - 1)]})
    fills = list(Fill.objects.order_by("pk").values_list("pk", flat=True))
    begun = chance.integers(0, SESSIONS - 20, TRADES)
    held = chance.integers(1, 15, TRADES)
    gained = chance.normal(-0.02, 0.15, TRADES).clip(-0.9)
    opened = [days[at] for at in begun]
    closed = [days[at] for at in begun + held]
    trade = factories.make_trade(
        account=account, opening_fill=fill_, closed_at=NOW, opened_at=NOW - timedelta(days=1),
        exit_price=3, source=SOURCE, invested=300,
        candidate=Candidate.objects.get(pk=candidates[0]),
    )  # fmt: skip
    _copy(trade, {
        "opening_fill_id": fills[1:],
        "opened_at": [NOW - timedelta(days=1, seconds=at) for at in range(1, TRADES)],
        "opened_session": opened[1:],
        "closed_session": closed[1:],
        "symbol": [f"S{at % KEPT:04d}" for at in range(1, TRADES)],
        "candidate_id": [candidates[at * 2] for at in range(1, TRADES)],
        "realised": [Decimal(f"{300 * value:.2f}") for value in gained[1:]],
        "return_on_cost": gained[1:].tolist(),
    })  # fmt: skip
    Trade.objects.filter(pk=trade.pk).update(return_on_cost=0.01)
    EquityDay.objects.bulk_create(
        EquityDay(
            account=account, session=day, cash=value, holdings=0, equity=value,
            equity_at_zero=value, flow=100_000 if at == 0 else 0, source=SOURCE,
        )
        for at, day in enumerate(days)
        for value in [Decimal(f"{100_000 + 10 * at + 300 * (at % 5):.2f}")]
    )  # fmt: skip


def _issue(days, candidates, chance) -> None:
    """Store settled theses and what is held."""
    from analytics.models import Candidate, Thesis
    from performance.models import Account
    from tests import factories

    sample = Candidate.objects.get(pk=candidates[0])
    thesis = factories.make_thesis(candidate=sample, source=SOURCE, session=days[0])
    at = chance.integers(0, SESSIONS - 20, THESES)
    _copy(thesis, {
        "number": list(range(2, THESES + 1)),
        "previous_id": list(range(thesis.pk, thesis.pk + THESES - 1)),  # keys follow each other
        "digest": [f"f{number:063d}" for number in range(1, THESES)],
        "session": [days[place] for place in at[1:]],
        "prompt_version": [f"bench {number % 3}" for number in range(1, THESES)],
        "symbol": [f"T{number}" for number in range(1, THESES)],
        "p_target": chance.uniform(0.05, 0.6, THESES - 1).tolist(),
    })  # fmt: skip
    keys = list(Thesis.objects.order_by("number").values_list("pk", flat=True))
    row = factories.make_accuracy(thesis=thesis)
    right = (chance.random(THESES) < 0.5).tolist()
    known = {
        "settlement": "neither", "reason": "", "is_final": True, "entry_price": 3.0,
        "exit_price": 3.1, "return_horizon": 0.03, "return_exit": 0.03, "sessions_held": 14,
        "explosive": False, "brier": 0.04, "log_loss": 0.2,
    }  # fmt: skip
    type(row).objects.filter(pk=row.pk).delete()
    _copy(row, {
        "thesis_id": keys,
        **{name: [value] * THESES for name, value in known.items()},
        "entry_session": [days[place + 1] for place in at],
        "exit_session": [days[place + 14] for place in at],
        "settled_session": [days[place + 14] for place in at],
        "direction_right": right, "right_if_up": right, "target_reached": [False] * THESES,
        "right_if_down": [not up for up in right], "right_if_flat": [False] * THESES,
    })  # fmt: skip
    account = Account.objects.get(source=SOURCE)
    for held in range(HELD):
        factories.make_position(
            account=account, symbol=f"S{held:04d}", cost=300, mark_price="2.9",
            mark_session=LAST, market_value=290, unrealised=-10, source=SOURCE,
        )  # fmt: skip


def compute() -> None:
    """Run the jobs that the endpoints read from, and time them."""
    from analytics.services import lakes
    from performance.services import advice, compliance, risk_assessments, summaries

    lakes.lake_of(SOURCE).create_all()
    jobs = {
        "risk": risk_assessments.record_assessments,
        "advice": advice.record_advice,
        "rules": compliance.record_breaches,
        "scores, first": summaries.refresh_summaries,
        "scores, again": summaries.refresh_summaries,
    }
    for title, work in jobs.items():
        started, spent = time.perf_counter(), time.process_time()
        done = work(source=SOURCE, now=NOW)
        wall, spent = time.perf_counter() - started, time.process_time() - spent
        print(f"{'job, ' + title:>24}: {wall:5.1f} s, {spent:.1f} s of it here; {done}", flush=True)


def measure() -> bool:
    """Ask for each address; say how long it took and how often it asked the database."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    client.force_login(
        User.objects.get(username="bench"), backend="django.contrib.auth.backends.ModelBackend"
    )
    good = True
    client.get("/analytics/batches?page_size=1")  # the URLs are loaded
    for title, address in PAGES.items():
        started = time.perf_counter()
        answer = client.get(address)
        cold = 1000 * (time.perf_counter() - started)
        assert answer.status_code == 200, answer.content[:400]
        times, spent = [], time.process_time()
        for _ in range(ROUNDS):
            started = time.perf_counter()
            client.get(address)
            times.append(1000 * (time.perf_counter() - started))
        spent = 1000 * (time.process_time() - spent) / ROUNDS
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        middle, slow = statistics.median(times), sorted(times)[int(0.95 * ROUNDS) - 1]
        kept = middle < WARM_MS and cold < COLD_MS and len(queries) <= MOST_QUERIES
        good &= kept
        print(
            f"{title:>24}: median {middle:5.0f} ms ({spent:.0f} on the processor), 95 % under "
            f"{slow:5.0f} ms, first {cold:5.0f} ms, {len(queries)} queries"
            f"{'' if kept else '  BROKEN'}",
            flush=True,
        )
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    return good


def run_here() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.faults.settings"
    import django
    from django.core.management import call_command

    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.ALLOWED_HOSTS.append("testserver")
    call_command("migrate", "auth", verbosity=0)  # first: our tables point at it
    call_command("migrate", run_syncdb=True, verbosity=0)
    started = time.perf_counter()
    fill()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"filled in {time.perf_counter() - started:.0f} s", flush=True)
    compute()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as autovacuum does between a night's jobs and the day
    return 0 if measure() else 1


def main() -> int:
    import psycopg

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", default="postgresql://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        return run_here()
    command = [sys.executable, "-m", "benchmarks.bench_scores", "--here"]
    with (
        tempfile.TemporaryDirectory() as folder,
        psycopg.connect(asked.postgres, autocommit=True) as connection,
    ):
        connection.execute(f"DROP DATABASE IF EXISTS {NAME}")
        connection.execute(f"CREATE DATABASE {NAME}")
        environment = {
            **os.environ,
            "VAR_DIR": folder,
            "ENV_FILE": "",
            "DATABASE_URL": f"{asked.postgres.rpartition('/')[0]}/{NAME}",
            "LAKE_URL": f"{folder}/lake",
            "LOG_LEVEL": "ERROR",
            "API_RATE": "100000/minute",
        }
        try:
            code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    kept = "kept" if code == 0 else "BROKEN"
    print(f"under {WARM_MS:g} ms warm, {COLD_MS:g} ms cold, {MOST_QUERIES} queries: {kept}")
    return code


if __name__ == "__main__":
    sys.exit(main())
