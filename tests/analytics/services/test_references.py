from datetime import UTC, date, datetime

import polars as pl
import pytest

from analytics.calc import sessions
from analytics.services import lakes, references
from tests import factories

pytestmark = pytest.mark.django_db
SIGNAL = date(2024, 6, 28)
ENTRY = date(2024, 7, 1)


def bars(prices, *, first=-30):
    """Bars at ``prices`` by session offset from the signal; 2.0 elsewhere, up to 20 later."""
    rows = []
    for at in range(first, 21):
        low, high = prices.get(at, (2.0, 2.0))
        rows.append(
            {
                "symbol": "VIGL",
                "session": sessions.offset(SIGNAL, at),
                "open": low,
                "high": high,
                "low": low,
                "close": low,
                "volume": 20_900.0 if at == 0 else 1000.0,
                "quality": 0,
                "source": "imported",
            }
        )
    return pl.DataFrame(rows)


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    lake = lakes.lake_of("imported")
    lake.create_all()
    return lake


def fill(session=SIGNAL, **fields):
    reference = factories.make_reference(symbol="VIGL", gain=1.0, entry_price=None, **fields)
    return references.fill_from_bars(reference_id=reference.pk, session=session, source="imported")


class TestFillFromBars:
    def test_enters_at_the_next_open_and_finds_the_peak(self, lake):
        lake.upsert("bars", bars({1: (2.94, 3.0), 9: (10.0, 12.46)}))

        found = fill()

        assert found.entry_price == 2.94
        assert found.peak_price == 12.46
        assert found.gain == pytest.approx(12.46 / 2.94 - 1)
        assert found.sessions_to_peak == 9
        assert found.signal_session == SIGNAL
        assert found.source == "imported"

    def test_measures_the_volume_as_a_scan_would(self, lake):
        lake.upsert("bars", bars({}))

        assert fill().volume_spike == pytest.approx(20.9)

    def test_looks_for_the_peak_within_14_sessions(self, lake):
        lake.upsert("bars", bars({14: (2.0, 5.0), 15: (2.0, 50.0)}))

        assert fill().peak_price == 5.0

    def test_undoes_a_split_after_the_entry(self, lake):
        lake.upsert("bars", bars({5: (1.5, 3.0)}))
        split = {"symbol": "VIGL", "ex_date": sessions.offset(SIGNAL, 5), "ratio": 2.0}
        known = datetime(2024, 7, 1, tzinfo=UTC)
        lake.upsert("splits", pl.DataFrame([{**split, "known_on": known, "source": "imported"}]))

        assert fill().peak_price == 6.0

    def test_takes_float_and_short_interest_known_on_the_day(self, lake):
        lake.upsert("bars", bars({}))
        known = datetime(2024, 6, 26, tzinfo=UTC)
        late = datetime(2024, 7, 10, tzinfo=UTC)
        shares = [
            {"effective_date": date(2024, 3, 1), "known_on": known, "public_float": 9e6},
            {"effective_date": date(2024, 6, 1), "known_on": late, "public_float": 1e6},
        ]
        short = {"settlement_date": date(2024, 6, 14), "known_on": known, "shares_short": 1.8e6}
        of = {"symbol": "VIGL", "source": "imported"}
        lake.upsert("shares", pl.DataFrame([{**row, **of} for row in shares]))
        lake.upsert("short_interest", pl.DataFrame([{**short, **of}]))

        found = fill()

        assert found.float_shares == 9e6
        assert found.short_interest_pct == pytest.approx(0.2)

    def test_leaves_unknown_figures_blank(self, lake):
        lake.upsert("bars", bars({}))

        found = fill(short_interest_pct=0.5, float_shares=1e6)

        assert found.short_interest_pct is None
        assert found.float_shares is None

    def test_stays_within_the_listing(self, lake):
        lake.upsert("bars", bars({3: (2.0, 4.0), 9: (2.0, 40.0)}))
        factories.make_security(
            symbol="VIGL",
            first_session=sessions.offset(SIGNAL, -30),
            last_session=sessions.offset(SIGNAL, 5),
        )

        assert fill().peak_price == 4.0

    @pytest.mark.parametrize("session", [date(2024, 6, 29), date(2023, 6, 28)])
    def test_needs_a_bar_on_the_signal_session(self, lake, session):
        lake.upsert("bars", bars({}))

        with pytest.raises(references.NoBars, match=f"No bar of VIGL on {session}"):
            fill(session)

    def test_needs_an_open_on_the_next_session(self, lake):
        lake.upsert("bars", bars({}).filter(pl.col("session") != ENTRY))

        with pytest.raises(references.NoBars, match="No open of VIGL on 2024-07-01"):
            fill()

    def test_changes_nothing_when_it_fails(self, lake):
        lake.upsert("bars", bars({}))
        with pytest.raises(references.NoBars):
            fill(date(2024, 6, 29))

        assert references.ReferencePattern.objects.get().gain == 1.0
