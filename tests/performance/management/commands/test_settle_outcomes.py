from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from performance.models import CandidateTracking
from performance.services import job_kinds, tracking
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
SUMMARY = tracking.SettleSummary(
    batches=2, settled=80, delisted=3, pending=5, no_entry=12, changed=100, seconds=1.5
)


@pytest.fixture
def asked(monkeypatch):
    """What the service was asked, instead of asking it."""
    calls = []

    def settle_outcomes(**wanted):
        calls.append(wanted)
        return SUMMARY

    monkeypatch.setattr(tracking, "settle_outcomes", settle_outcomes)
    return calls


def run(*arguments):
    out = StringIO()
    call_command("settle_outcomes", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


class TestCommand:
    def test_says_what_it_did(self, asked):
        said = run("--source", "imported", "--from", "2022-01-03")

        assert said == (
            "2 batches: 80 candidates settled, 3 delisted, 12 without entry, 5 pending; "
            "100 rows changed, 1.5 s, source imported.\n"
        )
        assert asked[0]["source"] == "imported"
        assert str(asked[0]["first"]) == "2022-01-03"
        assert asked[0]["last"] is None
        assert not asked[0]["again"]

    def test_turns_what_the_data_do_not_allow_into_one_line(self, monkeypatch):
        def refuse(**_wanted):
            raise tracking.lakes.NoLake("no market data")

        monkeypatch.setattr(tracking, "settle_outcomes", refuse)

        with pytest.raises(CommandError, match="no market data"):
            run("--source", "imported")

    def test_settles_nothing_twice_on_an_empty_lake(self, settings, tmp_path):
        settings.LAKE_URL = str(tmp_path)

        assert "0 batches" in run("--source", "simulated")
        assert "source simulated" in run()


class TestJob:
    def test_of_the_worker_asks_the_same_service(self, asked):
        report = SimpleNamespace(progress=lambda *_args, **_named: None, now=lambda: NOW)

        said = job_kinds.settle_outcomes({"source": "imported", "last": "2022-02-01"}, report)

        assert said["changed"] == 100
        assert str(asked[0]["last"]) == "2022-02-01"
        assert asked[0]["now"] == NOW


def test_a_batch_without_bars_says_that_it_waits(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path)
    candidate = factories.make_candidate()
    factories.make_security()

    tracking.settle_outcomes(source="imported", now=NOW)

    found = CandidateTracking.objects.get(candidate=candidate)
    assert found.status in {"pending", "no_entry"}
    assert found.reason
    assert not found.is_final
