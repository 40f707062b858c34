from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analytics.models import HistoryIndex, Thesis
from analytics.services import theses
from tests import factories, small_market
from tests.factories import NOW, SESSION

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")


def run(*words):
    said, faults = StringIO(), StringIO()
    call_command(*words, stdout=said, stderr=faults)
    return said.getvalue(), faults.getvalue()


def candidate(**fields):
    return factories.make_candidate(atr_pct_14=0.07, volatility_20=0.06, **fields)


class TestVerifyTheses:
    def test_prints_the_head(self):
        thesis = theses.write_by_rules(candidate=candidate(), now=NOW)

        said, faults = run("verify_theses")

        assert "The chain of 1 theses holds" in said
        assert thesis.digest in said
        assert "No trigger guards" in faults

    def test_fails_at_the_first_break(self):
        theses.write_by_rules(candidate=candidate(), now=NOW)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE analytics_thesis SET text = 'better'")

        with pytest.raises(CommandError, match="breaks at thesis 1: its content"):
            run("verify_theses")

    def test_has_nothing_to_say_of_none(self):
        assert run("verify_theses")[0] == "No thesis is issued yet.\n"


class TestWriteTheses:
    def test_looks_into_the_past_also_in_a_new_installation(self, settings, tmp_path):
        small_market.store(tmp_path / "lake")
        candidate(symbol="VIGL")

        run("write_theses", "--source", "imported")

        assert HistoryIndex.objects.get().source == "imported"
        assert "not built" not in str(Thesis.objects.get().data_pack)

    def test_writes_by_rules_without_a_worker(self):
        candidate(symbol="ONE")
        candidate(symbol="TWO", source="simulated")

        said, _ = run("write_theses", "--session", SESSION.isoformat(), "--source", "imported")

        assert said == f"Source: imported. {SESSION} to {SESSION}: 1 rules written.\n"
        assert Thesis.objects.get().is_late

    def test_says_that_the_market_is_simulated(self):
        candidate(source="simulated")

        said, _ = run("write_theses", "--session", str(SESSION), "--source", "simulated")

        assert "SIMULATED" in said

    def test_takes_the_newest_session_if_none_is_given(self):
        candidate(symbol="OLD", session=date(2024, 6, 27))
        candidate(symbol="NEW")

        run("write_theses", "--source", "imported")

        assert Thesis.objects.get().symbol == "NEW"

    def test_says_when_there_is_nothing_to_write_about(self):
        assert "No session" in run("write_theses", "--source", "imported")[0]

    @pytest.mark.parametrize(
        "words",
        [
            ("--from", "2024-06-28"),
            ("--session", "2024-06-28", "--from", "2024-06-28", "--to", "2024-06-28"),
        ],
        ids=["half", "both"],
    )
    def test_needs_to_know_when(self, words):
        with pytest.raises(CommandError, match="--session"):
            run("write_theses", *words)
