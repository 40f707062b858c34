import pytest

from analytics.models import JobRun, Thesis, ThesisRequest
from analytics.services import jobs, study_kinds, thesis_kinds
from analytics.services.job_registry import get_kind
from tests import factories
from tests.factories import NOW, SESSION
from tests.stubs import claude as wire
from tests.studies import Report

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")


def run(name, **arguments):
    return get_kind(name).work({"source": "imported", **arguments}, Report())


def candidates(count=3, **fields):
    batch = factories.make_batch(**fields)
    return [
        factories.make_candidate(batch=batch, symbol=f"S{n}", atr_pct_14=0.07, volatility_20=0.06)
        for n in range(count)
    ]


class TestWriteTheses:
    def test_asks_for_one_job_per_top_candidate(self, settings):
        settings.THESES_PER_SESSION = 2
        top = candidates()

        result = run("write_theses")

        asked = JobRun.objects.order_by("pk")
        assert [job.arguments["candidate"] for job in asked] == [one.pk for one in top[:2]]
        assert asked[0].arguments["authors"] == ["rules"]
        assert result["message"] == f"{SESSION}: 2 candidates, rules; Claude is not asked: no key"

    def test_asks_both_authors_with_a_key(self, settings):
        candidates(1)
        with wire.running() as stub:
            settings.CLAUDE_API_KEY, settings.CLAUDE_BASE_URL = wire.KEY, stub.url
            run("write_theses")

        assert JobRun.objects.get().arguments["authors"] == ["claude", "rules"]

    def test_does_not_pay_for_the_sample_market(self, settings):
        candidates(1, source="simulated")
        with wire.running() as stub:
            settings.CLAUDE_API_KEY, settings.CLAUDE_BASE_URL = wire.KEY, stub.url
            result = run("write_theses", source="simulated")

        assert "not asked about the sample market" in result["message"]
        assert JobRun.objects.get().arguments["authors"] == ["rules"]

    def test_is_safe_to_repeat(self):
        candidates(2)

        run("write_theses")
        run("write_theses")

        assert JobRun.objects.count() == 2

    def test_tells_each_thesis_of_its_own_position_only(self):
        one, _two = candidates(2)
        portfolio = {
            "positions": {"S0": {"weight": 0.05, "limit": 0.1, "unrealised": -0.4}},
            "size_limit": 0.1,
        }

        run("write_theses", portfolio=portfolio)
        for job in JobRun.objects.filter(kind="write_thesis"):
            jobs.run(job_id=job.pk, clock=lambda: NOW)

        said = dict(Thesis.objects.values_list("symbol", "recommendation"))
        held = {t.symbol: t.data_pack["portfolio"]["held"] for t in Thesis.objects.all()}
        assert said == {"S0": "LIQUIDATE", "S1": "AVOID"}
        assert held["S1"] is None
        assert Thesis.objects.get(symbol=one.symbol).data_pack["portfolio"]["size_limit"] == 0.1

    def test_writes_none_when_none_are_wanted(self, settings):
        settings.THESES_PER_SESSION = 0
        candidates(1)

        assert run("write_theses")["candidates"] == 0

    def test_says_when_there_is_nothing_yet(self):
        result = run("write_theses")

        assert result["candidates"] == 0
        assert "No session has" in result["message"]

    def test_comes_every_night_with_the_check_of_falsifiers(self):
        assert {"write_theses", "check_falsifiers"} <= set(study_kinds.NIGHTLY)


class TestWriteThesis:
    def test_says_what_each_author_gave(self):
        (candidate,) = candidates(1)

        result = run("write_thesis", candidate=candidate.pk, authors=["claude", "rules"])

        assert result["message"] == (
            f"S0 {SESSION}: rules: written; "
            "claude: rules stand in (no key: CLAUDE_API_KEY is not set.)"
        )
        assert result["theses"] == [Thesis.objects.get().pk] * 2

    def test_notes_who_asked(self, clock):
        (candidate,) = candidates(1)
        ann = factories.make_user()
        job = thesis_kinds.request_one(
            candidate=candidate, requested_by=ann, now=NOW, authors=["rules"]
        )

        jobs.run(job_id=job.pk, clock=lambda: NOW)

        asked = ThesisRequest.objects.get()
        assert (asked.requested_by, asked.job) == (ann, job)
        assert JobRun.objects.get().state == "succeeded"

    def test_needs_a_candidate(self):
        with pytest.raises(thesis_kinds.NoCandidate):
            run("write_thesis", candidate=77)

    def test_can_be_run_twice(self):
        (candidate,) = candidates(1)

        for _ in range(2):
            run("write_thesis", candidate=candidate.pk, authors=["rules"])

        assert Thesis.objects.count() == 1


class TestChecks:
    def test_say_what_they_found(self):
        assert run("check_falsifiers")["triggered"] == 0
        assert "open" in run("check_before_open")["message"]
