from datetime import date

import pytest
from django.core.cache import cache

from analytics.clients.claude import ClaudeFailed
from analytics.models import Candidate, ClaudeCall, Thesis
from analytics.services import discovery, theses
from performance.models import ThesisAccuracy
from performance.services import accuracy_settlement, replays
from tests.factories import NOW
from tests.performance.services.conftest import SCANNED, day
from tests.stubs import claude as wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def cases(market):
    """Settled theses of the rules."""
    market.store()
    first, last = day(SCANNED[0]), day(SCANNED[1] - 15)
    discovery.record_batches(first=first, last=last, source="imported", now=NOW)
    picked = Candidate.objects.select_related("batch").order_by("batch__session", "rank", "pk")
    for candidate in picked[:24]:
        theses.write_by_rules(candidate=candidate, now=NOW)
    accuracy_settlement.settle_theses(source="imported", now=NOW)
    return replays.get_cases(source="imported", count=10)


@pytest.fixture
def stub(settings):
    cache.clear()
    with wire.running() as running:
        settings.CLAUDE_API_KEY = wire.KEY
        settings.CLAUDE_BASE_URL = running.url
        settings.CLAUDE_TRAINING_CUTOFF = date(2021, 12, 31)
        yield running


def thesis_of(pack, *, rises=False, explosive=False):
    close = pack["features"]["close"]
    return wire.thesis(
        recommendation="BUY" if rises else "AVOID",
        entry_price=close,
        target_price=close * 1.2,
        stop_price=close * 0.85,
        max_entry_price=close * 1.05,
        p_explosive=0.9 if explosive else 0.02,
        text="A case.",
        falsifiers=["close < 0.01"],
    )


def run(count=10):
    return replays.replay(
        source="imported", count=count, clock=lambda: NOW, sleep=lambda _seconds: None
    )


class TestReplay:
    def test_finds_what_a_model_remembers(self, stub, cases):
        explosive = {(case.symbol, str(case.session)): case.explosive for case in cases}
        fell = {
            (row.thesis.symbol, str(row.thesis.session))
            for row in ThesisAccuracy.objects.filter(return_horizon__lt=0).select_related("thesis")
        }

        def remember(pack):
            key = (pack["symbol"], pack["session"])
            return thesis_of(pack, rises=key not in fell, explosive=explosive.get(key, True))

        stub.think = remember
        found = run()

        assert (found.asked, found.compared, found.failed) == (len(cases), len(cases), {})
        assert found.memory_lift_brier.value > 0.3
        assert found.memory_lift_brier.low > 0
        assert found.memory_lift.value > 0
        assert found.plain.brier_explosive.value < found.masked.brier_explosive.value

    def test_finds_nothing_where_a_model_judges_by_the_figures(self, stub, cases):
        stub.think = lambda pack: thesis_of(pack, rises=pack["features"]["rel_volume"] > 2)

        found = run()

        assert found.memory_lift.value == 0
        assert found.memory_lift_brier.value == pytest.approx(0)

    def test_shows_no_symbol_and_no_date_when_masked(self, stub, cases):
        stub.think = thesis_of
        run(count=1)

        plain, masked = (body["messages"][0]["content"] for body in stub.asked)
        assert cases[0].symbol in plain
        assert cases[0].symbol not in masked
        assert str(cases[0].session) not in masked
        assert "2022" not in masked

    def test_counts_no_case_up_to_the_cut_off_as_skill(self, stub, cases, settings):
        stub.think = thesis_of
        days = sorted(case.session for case in cases)
        settings.CLAUDE_TRAINING_CUTOFF = days[5]

        found = run()

        assert found.after_cutoff == sum(day > days[5] for day in days)
        assert found.skill.accuracy.value is None

    def test_counts_none_when_the_cut_off_is_not_known(self, stub, cases, settings):
        settings.CLAUDE_TRAINING_CUTOFF = None
        stub.models = wire.models(id="another")
        stub.think = thesis_of

        found = run(count=2)

        assert (found.cutoff, found.after_cutoff) == (None, 0)

    def test_issues_no_thesis_and_pays_from_the_budget(self, stub, cases):
        before = Thesis.objects.count()
        stub.think = thesis_of

        found = run(count=2)

        assert Thesis.objects.count() == before
        assert set(ClaudeCall.objects.values_list("purpose", flat=True)) == {"replay"}
        assert found.cost_usd == pytest.approx(
            float(sum(call.cost_usd for call in ClaudeCall.objects.all()))
        )

    def test_says_why_cases_were_not_answered(self, stub, cases):
        stub.say(wire.REFUSAL)

        found = run(count=3)

        assert (found.compared, found.failed) == (0, {"refusal": 3})
        assert found.memory_lift.value is None

    def test_stops_at_the_budget(self, stub, cases, settings):
        settings.CLAUDE_DAILY_TOKENS = 100

        assert run(count=2).failed == {"over_budget": 2}
        assert stub.asked == []

    def test_needs_a_key(self, stub, cases, settings):
        settings.CLAUDE_API_KEY = ""

        with pytest.raises(ClaudeFailed, match="CLAUDE_API_KEY"):
            run()


class TestGetCases:
    def test_are_the_same_each_time(self, cases):
        assert replays.get_cases(source="imported", count=10) == cases
        assert len({(case.symbol, case.session) for case in cases}) == len(cases)

    def test_need_something_settled(self, market):
        with pytest.raises(replays.NoCases):
            replays.get_cases(source="imported", count=5)
        assert not ThesisAccuracy.objects.exists()
