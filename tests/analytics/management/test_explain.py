import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from analytics.models import Security, Source
from analytics.services import lakes
from tests import markets
from tests.factories import make_reference, make_variant

MARKET = markets.alert_market()
LAST = MARKET.sessions[-1].isoformat()

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    markets.fill_lake(MARKET, lakes.lake_of(Source.IMPORTED), source=Source.IMPORTED)
    rows = MARKET.securities.to_dicts()
    Security.objects.bulk_create(Security(**row, source=Source.IMPORTED) for row in rows)
    make_variant()
    make_reference()


def explain(symbol: str, session: str = LAST, *more: str) -> str:
    out = StringIO()
    call_command("explain", "--symbol", symbol, "--session", session, *more, stdout=out)
    return out.getvalue()


class TestExplain:
    def test_of_a_candidate_shows_rank_gates_parts_and_likeness(self):
        said = explain("S3")

        assert "S3 on 2021-04-26, source imported; this listing began 2021-03-01" in said
        assert "B v1: rank 1 of 5" in said
        assert said.count("pass ") == 9
        assert "short_interest" in said
        assert "VIGL" in said

    def test_of_what_is_no_candidate_names_the_gate(self):
        said = explain("S6")

        assert "no candidate: stopped by price band" in said
        assert "FAIL" in said

    def test_says_unknown_where_a_figure_is_not_known(self):
        assert "unknown float" in " ".join(explain("S5").split())

    def test_prints_json(self):
        told = json.loads(explain("S3", LAST, "--json"))

        assert told["session"] == LAST
        assert told["verdicts"][0]["rank"] == 1
        assert told["features"]["sentiment"] is None

    @pytest.mark.parametrize(
        ("symbol", "session", "message"),
        [
            ("ZZZ", LAST, "ZZZ has no bar within 300 sessions up to 2021-04-26"),
            ("S3", "2021-05-03", "S3 has no bar on 2021-05-03; its last one is of 2021-04-26"),
            ("S3", "2021-04-25", "2021-04-25 is no trading session"),
        ],
    )
    def test_says_why_there_is_nothing_to_explain(self, symbol, session, message):
        with pytest.raises(CommandError, match=message):
            explain(symbol, session)
