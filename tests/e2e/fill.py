"""Fill a fresh site: a small market, most of it scanned and settled, and a person.

Run as a program (``python -m tests.e2e.fill``) in the environment of the site.
"""

import os
from datetime import UTC, date, datetime

import numpy as np
import polars as pl

LAST = date(2024, 6, 28)
SYMBOLS, DAYS, SCANNED = 14, 150, 80
PERSON, PASSWORD = "ann", "a long secret"
NOW = datetime(2024, 6, 29, 2, 0, tzinfo=UTC)


def make_bars() -> pl.DataFrame:
    """Return bars of a few symbols that spike in turn, and SPY."""
    from analytics.calc import sessions

    chance = np.random.default_rng(11)
    days = [sessions.offset(LAST, at - DAYS + 1) for at in range(DAYS)]
    frames = []
    for number in range(SYMBOLS):
        steps = chance.normal(0, 0.03, DAYS)
        spikes = chance.random(DAYS) < 0.06
        spikes[-1] = number < 4  # the session that the page will scan
        steps[spikes] += 0.15
        close = 3.0 * np.exp(np.cumsum(steps - steps.mean()))
        volume = 700_000 * np.exp(chance.normal(0, 0.3, DAYS)) * np.where(spikes, 22, 1)
        frames.append(_frame(f"SYM{chr(65 + number)}", days, close, volume))
    frames.append(_frame("SPY", days, 400 + np.arange(DAYS) * 0.1, np.full(DAYS, 5e7)))
    return pl.concat(frames)


def _frame(symbol: str, days: list[date], close: np.ndarray, volume: np.ndarray) -> pl.DataFrame:
    opened = np.concatenate([close[:1], close[:-1]])
    return pl.DataFrame(
        {
            "symbol": symbol,
            "session": days,
            "open": opened,
            "high": np.maximum(opened, close) * 1.02,
            "low": np.minimum(opened, close) * 0.98,
            "close": close,
            "volume": volume,
            "quality": pl.Series([0] * len(days), dtype=pl.Int8),
            "source": "imported",
        }
    )


def fill() -> None:
    """Store the market, scan and settle all sessions but the last, and make the person."""
    from django.contrib.auth.models import User

    from analytics.calc import sessions
    from analytics.models import Security
    from analytics.services import discovery, lakes, setup
    from performance.services import tracking

    setup.store_baseline()
    setup.store_references()
    setup.store_variants()
    bars = make_bars()
    lake = lakes.lake_of("imported")
    lake.create_all()
    lake.upsert("bars", bars)
    for symbol in bars["symbol"].unique(maintain_order=True):
        Security.objects.create(
            symbol=symbol,
            first_session=bars["session"][0],
            last_session=LAST,
            kind="etf" if symbol == "SPY" else "common",
            name=f"{symbol} Test Company",
            source="imported",
        )
    first, last = sessions.offset(LAST, -SCANNED), sessions.offset(LAST, -1)
    discovery.record_batches(first=first, last=last, source="imported", now=NOW)
    tracking.settle_outcomes(source="imported", now=NOW)
    write_theses(sessions.offset(LAST, -30))
    User.objects.create_superuser(PERSON, password=PASSWORD)


def write_theses(last: date) -> None:
    """Store theses on every candidate up to ``last``, settle them and learn from them."""
    from analytics.models import Candidate
    from performance.services import accuracy_calibration, accuracy_settlement
    from tests import factories

    chance = np.random.default_rng(5)
    rows = Candidate.objects.filter(batch__session__lte=last, batch__variant__name="B")
    for candidate in rows.select_related("batch").order_by("batch__session", "rank"):
        close = float(candidate.close)
        factories.make_thesis(
            candidate=candidate, symbol=candidate.symbol, session=candidate.batch.session,
            entry_price=f"{close:.4f}", max_entry_price=f"{close * 1.05:.4f}",
            target_price=f"{close * 1.2:.4f}", stop_price=f"{close * 0.85:.4f}",
            p_target=round(float(chance.uniform(0.1, 0.7)), 2), text="Volume is high.",
            prompt_version="e2e",
            recommendation=str(chance.choice(["BUY", "AVOID"])), issued_at=NOW,
        )  # fmt: skip
    accuracy_settlement.settle_theses(source="imported", now=NOW)
    accuracy_calibration.record_calibrations(source="imported", now=NOW)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.faults.settings")
    import django

    django.setup()
    fill()
