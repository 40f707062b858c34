"""The pages with 250,000 candidates stored: time and queries, on SQLite and on PostgreSQL.

    python -m benchmarks.bench_overview [--postgres postgresql://user@127.0.0.1:5432/postgres]

On PostgreSQL a database ``amc_bench_ui`` is made and dropped again; without --postgres that part
is left out. Times are of whole requests through all middleware, without the network.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "amc_bench_ui"
SESSIONS, VARIANTS, KEPT = 2500, 2, 50  # 250,000 candidates
SOURCE = "simulated"  # pages show these while the lake has no real bars
ROUNDS = 30
MOST_MS, MOST_QUERIES = 150.0, 12
FIRST = date(2014, 1, 2)
NOW = datetime(2024, 6, 28, 22, 0, tzinfo=UTC)
PAGES = {
    "overview, 90 days": "/?range=90",
    "overview, all history": "/?range=all",
    "screener, 30 days": "/candidates?range=30",
    "screener, all, by return": "/candidates?range=all&sort=-return_14",
}
JUDGED = ("overview, 90 days", "overview, all history")


def fill() -> None:
    """Store batches, candidates, outcomes and analyses of ten years."""
    import numpy as np
    from django.contrib.auth.models import User

    from analytics.calc import sessions
    from analytics.models import Candidate, DiscoveryBatch
    from analytics.services import bulk, setup
    from tests import factories

    setup.store_baseline()
    User.objects.create_user("bench", password="bench", is_staff=True)
    days = [sessions.offset(FIRST, at) for at in range(SESSIONS)]
    for name in "AB"[:VARIANTS]:
        variant = factories.make_variant(name=name)
        batches = [
            factories.make_batch(
                session=day, variant=variant, candidate_count=KEPT, volume_event=at % 60 == 0,
                spike_share=0.2, spike_share_median=0.03, funnel=[5000, 98, 61], source=SOURCE,
            )
            for at, day in enumerate(days)
        ]  # fmt: skip
        for batch in batches:
            factories.make_analysis(
                batch=batch, candidates=KEPT, settled=KEPT, first_settled=15, first_explosive=1,
                first_positive_14=6, first_sum_return_14=-0.2,
            )  # fmt: skip
        sample = factories.make_candidate(
            batch=factories.make_batch(
                session=FIRST, variant=variant, revision=2, is_current=False, source=SOURCE
            )
        )
        like = {
            field.attname: getattr(sample, field.attname)
            for field in Candidate._meta.concrete_fields
            if not field.primary_key
        }
        height = len(batches) * KEPT
        chance = np.random.default_rng(7)
        score = np.sort(chance.uniform(20, 95, (len(batches), KEPT)))[:, ::-1].ravel()
        columns = {key: [value] * height for key, value in like.items()}
        columns |= {
            "batch_id": [batch.pk for batch in batches for _ in range(KEPT)],
            "symbol": [f"S{number:04d}" for number in np.tile(np.arange(KEPT), len(batches))],
            "rank": [rank for _ in batches for rank in range(1, KEPT + 1)],
            "score": score.tolist(),
            "rank_score": score.tolist(),
        }
        bulk.insert(Candidate, columns)
        _settle(variant, chance)
    print(f"{DiscoveryBatch.objects.count():,} batches, {Candidate.objects.count():,} candidates")


def _settle(variant, chance) -> None:
    """Store an outcome of every candidate of ``variant``."""
    from analytics.models import Candidate
    from analytics.services import bulk
    from performance.models import CandidateTracking
    from tests import factories

    own = Candidate.objects.current().filter(batch__variant=variant)
    sample = factories.make_tracking(candidate=own.select_related("batch")[0])
    like = {
        field.attname: getattr(sample, field.attname)
        for field in CandidateTracking._meta.concrete_fields
        if not field.primary_key
    }
    sample.delete()
    keys = list(own.values_list("pk", flat=True))
    columns = {key: [value] * len(keys) for key, value in like.items()}
    returns = chance.normal(-0.03, 0.2, len(keys)).clip(-1)
    bulk.insert(CandidateTracking, {**columns, "candidate_id": keys, "return_14": returns.tolist()})


def measure() -> bool:
    """Ask for each page; say how long it took and how often it asked the database."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    client.force_login(
        User.objects.get(username="bench"), backend="django.contrib.auth.backends.ModelBackend"
    )
    good = True
    for title, address in PAGES.items():
        started = time.perf_counter()
        assert b"/symbols/S00" in client.get(address).content, "the page shows no rows"
        cold = time.perf_counter() - started
        times = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            client.get(address)
            times.append(1000 * (time.perf_counter() - started))
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        middle, slow = statistics.median(times), sorted(times)[int(0.95 * ROUNDS) - 1]
        print(
            f"{title:>26}: median {middle:5.0f} ms, 95 % under {slow:5.0f} ms, "
            f"first {1000 * cold:5.0f} ms, {len(queries)} queries"
        )
        if title in JUDGED:
            good &= middle < MOST_MS and len(queries) <= MOST_QUERIES
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
    fill()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return 0 if measure() else 1


def on(database_url: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "VAR_DIR": folder,
            "ENV_FILE": "",
            "DATABASE_URL": database_url or f"sqlite:///{folder}/bench.sqlite3",
            "LAKE_URL": f"{folder}/lake",
            "LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-m", "benchmarks.bench_overview", "--here"]
        print(f"-- {'PostgreSQL' if database_url else 'SQLite'}", flush=True)
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def on_postgres(server: str) -> bool:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME}")
        connection.execute(f"CREATE DATABASE {NAME}")
        try:
            return on(f"{server.rpartition('/')[0]}/{NAME}")
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", default="", help="URL of a server that lets us make one")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        return run_here()
    good = on("")
    if asked.postgres:
        good &= on_postgres(asked.postgres)
    print(f"at most {MOST_MS:g} ms and {MOST_QUERIES} queries: {'kept' if good else 'BROKEN'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
