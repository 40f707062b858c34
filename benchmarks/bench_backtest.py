"""A full-history backtest of both variants against the bare replay, on the data at hand.

    LAKE_URL=... python -m benchmarks.bench_backtest [--source imported]

Both read the same stretches from the lake. Nothing is written.
"""

import argparse
import os
import sys
import time

import django

MOST_TIMES = 2.0
ROUNDS = 3


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amc_trader.settings")
    django.setup()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default="imported")
    source = parser.parse_args().source
    bare, whole = [], []
    for _ in range(ROUNDS + 1):  # the first one warms the disk's cache and the kernels
        bare.append(timed(replay_all, source))
        whole.append(timed(backtest_all, source))
    least_bare, least_whole = min(bare[1:]), min(whole[1:])
    times = least_whole / least_bare
    print(f"replay   {least_bare:6.2f} s  {[round(s, 2) for s in bare]}")
    print(f"backtest {least_whole:6.2f} s  {[round(s, 2) for s in whole]}")
    print(f"{times:.2f} times the bare replay (at most {MOST_TIMES:g})")
    return int(times > MOST_TIMES)


def timed(work, source):
    begun = time.perf_counter()
    work(source)
    return time.perf_counter() - begun


def variants():
    from analytics.calc.detector import ORIGINAL, SQUEEZE

    return [ORIGINAL, SQUEEZE]


def stretches(source):
    from analytics.services import backtesting, lakes

    days = lakes.lake_of(source).sessions()
    return [days[at : at + backtesting.CHUNK] for at in range(0, len(days), backtesting.CHUNK)]


def replay_all(source):
    from analytics.calc import replay
    from analytics.services import discovery, panels

    for part in stretches(source):
        reading = panels.get_panel(source=source, first=part[0], last=part[-1])
        replay.run(
            reading.panel,
            variants=variants(),
            references=discovery.get_references(),
            first=part[0],
            last=part[-1],
        )


def backtest_all(source):
    import numpy as np

    from analytics.calc import backtest, backtest_report, outcomes, sessions
    from analytics.services import discovery, lakes, panels

    covered = lakes.lake_of(source).sessions()
    numbers = np.array([sessions.number(day) for day in covered], np.int32)
    reach = outcomes.coverage(numbers, size=sessions.calendar().size)
    terms = backtest.Terms()
    parts = []
    for part in stretches(source):
        reading = panels.get_panel(
            source=source, first=part[0], last=part[-1], ahead=backtest.AHEAD
        )
        parts.append(
            backtest.measure(
                reading.panel,
                variants=variants(),
                references=discovery.get_references(),
                first=part[0],
                last=part[-1],
                reach=reach,
                terms=terms,
            )
        )
    for record in backtest.join(parts):
        backtest_report.report(record, terms=terms, slippage_bp=0.0, source=source)


if __name__ == "__main__":
    sys.exit(main())
