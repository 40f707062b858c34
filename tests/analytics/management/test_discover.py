import json
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from analytics.models import DiscoveryBatch, Security, Source
from analytics.services import lakes
from tests import markets
from tests.factories import make_variant

MARKET = markets.alert_market()
LAST = MARKET.sessions[-1]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    markets.fill_lake(MARKET, lakes.lake_of(Source.IMPORTED), source=Source.IMPORTED)
    rows = MARKET.securities.to_dicts()
    Security.objects.bulk_create(Security(**row, source=Source.IMPORTED) for row in rows)
    make_variant()


def discover(*arguments: str) -> str:
    out = StringIO()
    call_command("discover", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


class TestDiscover:
    def test_shows_the_candidates_of_one_session(self):
        said = discover("--session", LAST.isoformat())

        lines = [line.split() for line in said.splitlines()]
        assert lines[1] == ["B", "v1"]
        assert [line[1] for line in lines[3:8]] == ["S3", "S5", "S4", "S2", "S1"]
        assert "1 sessions: 1 batches new, 0 superseded, 0 unchanged, 5 candidates" in said
        assert "source imported" in said

    def test_again_says_that_nothing_changed(self):
        discover("--session", LAST.isoformat())

        assert "0 batches new, 0 superseded, 1 unchanged" in discover("--session", LAST.isoformat())

    def test_prints_json(self):
        rows = json.loads(discover("--session", LAST.isoformat(), "--json"))

        assert [row["symbol"] for row in rows] == ["S3", "S5", "S4", "S2", "S1"]
        assert rows[0]["session"] == LAST.isoformat()
        assert rows[0]["rel_volume"] == pytest.approx(4)
        assert rows[0]["close"] == 3.03
        assert rows[0]["source"] == "imported"
        assert rows[1]["float_shares"] is None

    def test_scans_a_range(self):
        said = discover("--from", MARKET.sessions[30].isoformat(), "--to", LAST.isoformat())

        assert "10 sessions: 10 batches new" in said
        assert DiscoveryBatch.objects.count() == 10

    def test_scans_everything(self):
        assert "40 sessions: 40 batches new" in discover("--all")

    def test_scans_with_the_variants_asked_for(self):
        make_variant(name="A")

        discover("--session", LAST.isoformat(), "--variant", "A")

        assert DiscoveryBatch.objects.get().variant.name == "A"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--session", LAST.isoformat(), "--variant", "Z"], "no active variant Z"),
            (["--session", "2021-04-03"], "no imported bars from 2021-04-03 to 2021-04-03"),
            (["--from", "2021-09-01", "--to", "2021-09-30"], "no imported bars from 2021-09-01"),
            (["--from", "2021-09-01", "--to", "2021-08-30"], "--from lies after --to"),
            (["--from", "2021-09-01"], "say --session D, --from D1 --to D2, or --all"),
            ([], "say --session D, --from D1 --to D2, or --all"),
            (["--all", "--source", "simulated"], "the simulated lake has no bars"),
        ],
    )
    def test_says_in_one_sentence_what_is_wrong(self, arguments, message):
        with pytest.raises(CommandError, match=message):
            discover(*arguments)

        assert not DiscoveryBatch.objects.exists()

    def test_of_a_day_outside_the_calendar_finds_no_bars(self):
        with pytest.raises(CommandError, match="no imported bars"):
            discover("--session", date(1980, 1, 2).isoformat())
