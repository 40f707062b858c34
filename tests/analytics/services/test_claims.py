from datetime import UTC, date, datetime

import pytest

from analytics.models import ClaimAudit
from analytics.services import claims, lakes
from analytics.services.claims import BadClaims
from tests import markets
from tests.factories import make_baseline

NOW = datetime(2022, 1, 3, 22, 0, tzinfo=UTC)
MARKET = markets.alert_market()
HEAD = "symbol,entry_date,entry_price"

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    markets.fill_lake(MARKET, lakes.lake_of("imported"), source="imported")


def audit(text):
    return claims.record_upload_audit(title="A letter", text=text, source="imported", now=NOW)


class TestUpload:
    def test_gives_each_pick_a_verdict_and_its_evidence(self, lake):
        day = MARKET.sessions[5]

        found = audit(
            f"{HEAD},shares\nS1,{day},3.00,100\nS1,{day},9.00,100\nNONE,{day},1,1\n"
            f"S1,2030-01-02,3,1\n"
        )

        verdicts = list(found.items.order_by("position").values_list("verdict", flat=True))
        assert verdicts == ["verified", "impossible", "unverifiable", "unverifiable"]
        assert all(found.items.values_list("evidence", flat=True))

    def test_keeps_what_it_was_checked_against(self, lake):
        found = audit(f"{HEAD}\nS1,{MARKET.sessions[5]},3.00\n")

        assert found.source == "imported"
        assert found.lake_versions["bars"] >= 0

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "missing"),
            ("symbol,price\nA,1\n", "unknown"),
            (f"{HEAD}\n", "no pick"),
            (f"{HEAD}\nA,soon,3\n", "Line 2"),
            (f"{HEAD}\nA,2024-06-03,nan\n", "Line 2"),
            (f"{HEAD}\nA,2024-06-03,3\n,2024-06-03,3\n", "Line 3"),
            (f"{HEAD}\nA,2024-06-03,-3\n", "above 0"),
        ],
    )
    def test_says_which_line_is_wrong_and_stores_nothing(self, lake, text, said):
        with pytest.raises(BadClaims, match=said):
            audit(text)
        assert ClaimAudit.objects.count() == 0

    def test_reads_percent_dollars_and_a_byte_order_mark(self):
        text = f"\ufeff{HEAD},peak_price,return_pct\nvigl,2024-06-03,$2.94,12.46,324%\n"

        pick = claims.read_picks(text)[0]

        assert (pick.symbol, pick.entry_session, pick.entry) == ("VIGL", date(2024, 6, 3), 2.94)
        assert pick.gain == pytest.approx(3.24)
        assert pick.is_peak


class TestBaseline:
    def test_is_checked_by_arithmetic_sampling_and_market(self, lake):
        make_baseline(
            stars=[
                {"symbol": "VIGL", "return": 3.24, "entry": 2.94, "peak": 12.46},
                {"symbol": "CRWV", "return": 1.71},
                {"symbol": "AEVA", "return": 1.62},
            ]
        )

        found = claims.record_baseline_audit(source="imported", now=NOW)

        verdicts = {(i.kind, i.subject): i.verdict for i in found.items.all()}
        assert verdicts["arithmetic", "average return"] == "impossible"
        assert verdicts["arithmetic", "historical winners"] == "impossible"
        assert verdicts["arithmetic", "VIGL"] == "plausible"
        assert verdicts["sampling", "win rate"] == "plausible"
        assert verdicts["market", "CRWV"] == "unverifiable"

    def test_needs_a_baseline(self, lake):
        with pytest.raises(claims.NoBaseline):
            claims.record_baseline_audit(source="imported", now=NOW)


class TestGetAudits:
    def test_counts_items_by_verdict_in_one_query(self, lake, django_assert_num_queries):
        for _ in range(3):
            audit(f"{HEAD}\nNONE,2024-06-03,3\nS1,{MARKET.sessions[5]},9\n")

        with django_assert_num_queries(1):
            found = [(a.count_unverifiable, a.count_impossible) for a in claims.get_audits()]

        assert found == [(1, 1)] * 3
