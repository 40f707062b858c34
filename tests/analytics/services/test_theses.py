from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from analytics.calc import data_pack, thesis_rules
from analytics.models import ClaudeCall, Thesis, ThesisRequest
from analytics.services import claude_models, theses, thesis_chain, thesis_packs
from tests import factories
from tests.factories import NOW, SESSION
from tests.stubs import claude as wire
from tests.thesis_packs import make_pack

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")


@pytest.fixture(autouse=True)
def _nothing_cached():
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def stub(settings):
    with wire.running() as running:
        settings.CLAUDE_API_KEY = wire.KEY
        settings.CLAUDE_BASE_URL = running.url
        yield running


@pytest.fixture
def candidate():
    return factories.make_candidate(
        atr_pct_14=0.075, volatility_20=0.06, rel_volume=20.9, short_interest_pct=0.18,
        float_shares=8_000_000.0, float_basis="public", float_age=40, short_interest_age=9,
    )  # fmt: skip


def write(candidate, *authors, **more):
    return theses.write(
        candidate=candidate, authors=authors, clock=lambda: NOW, sleep=lambda _s: None, **more
    )


class TestGetTop:
    def test_takes_each_symbol_once_at_its_best_rank(self):
        a = factories.make_batch(variant=factories.make_variant(name="A"))
        b = factories.make_batch(variant=factories.make_variant(name="B"))
        for batch, symbol, rank in ((a, "ONE", 2), (a, "TWO", 1), (b, "ONE", 1), (b, "SIX", 2)):
            factories.make_candidate(batch=batch, symbol=symbol, rank=rank)

        found = theses.get_top(source="imported", session=SESSION, count=3)

        assert [(one.symbol, one.rank) for one in found] == [("TWO", 1), ("ONE", 1), ("SIX", 2)]

    def test_leaves_out_what_was_superseded_and_other_sources(self):
        factories.make_candidate(batch=factories.make_batch(is_current=False))
        factories.make_candidate(source="simulated")

        assert theses.get_top(source="imported", session=SESSION, count=5) == []


class TestRules:
    def test_issue_a_thesis_with_its_pack(self, candidate):
        (request,) = write(candidate, "rules")

        thesis = request.thesis
        assert (request.outcome, thesis.author, thesis.author_kind) == (
            "written", theses.RULES_AUTHOR, "rules",
        )  # fmt: skip
        assert thesis.data_pack["features"]["rel_volume"] == 20.9
        assert thesis.data_pack["age_in_sessions"] == {"float_shares": 40, "short_interest": 9}
        assert thesis.max_entry_price == round(Decimal("2.94") * Decimal("1.075"), 4)
        assert thesis.supported_share == 1.0
        assert thesis.pack_version == data_pack.VERSION
        assert thesis_chain.verify().broken is None

    def test_say_it_once(self, candidate):
        write(candidate, "rules")

        (again,) = write(candidate, "rules")

        assert again.outcome == "exists"
        assert Thesis.objects.count() == 1

    def test_fail_visibly_without_a_range(self):
        (request,) = write(factories.make_candidate(), "rules")

        assert (request.outcome, request.reason) == ("failed", "no_range")
        assert "VIGL" in request.message

    def test_need_no_key_and_no_network(self, candidate, settings):
        settings.CLAUDE_API_KEY = ""

        assert theses.write_by_rules(candidate=candidate, now=NOW).prompt_version == (
            thesis_rules.VERSION
        )


class TestClaude:
    def test_issues_a_thesis_with_its_answer_and_cost(self, stub, candidate):
        rules, claude = write(candidate, "claude", "rules")

        thesis = claude.thesis
        assert (rules.outcome, claude.outcome) == ("written", "written")
        assert thesis.author == "claude:claude-sonnet-5-5"
        assert thesis.raw_answer == wire.message().body["content"][0]["text"]
        assert (thesis.tokens_in, thesis.tokens_out, thesis.stop_reason) == (412, 96, "end_turn")
        assert thesis.cost_usd == ClaudeCall.objects.get().cost_usd > 0
        assert ClaudeCall.objects.get().request == claude
        assert thesis.previous == rules.thesis

    def test_marks_figures_that_the_pack_does_not_have(self, stub, candidate):
        stub.say(wire.thesis(text="Revenue grew 45%. Volume was 20.9x.", reasons=["A $7 case."]))

        (request,) = write(candidate, "claude")

        thesis = request.thesis
        assert thesis.text == "Revenue grew 45%. Volume was 20.9x."
        assert [(mark["where"], mark["figure"]) for mark in thesis.unsupported] == [
            ("text", "45%"),
            ("reasons.0", "$7"),
        ]
        assert (thesis.figures, thesis.supported_share) == (3, pytest.approx(1 / 3))

    def test_is_not_asked_until_it_pleases(self, stub, candidate):
        write(candidate, "claude")

        (again,) = write(candidate, "claude")

        assert again.outcome == "exists"
        assert len(stub.asked) == 1

    def test_knows_when_the_model_was_released(self, stub, candidate):
        (request,) = write(candidate, "claude")

        assert request.thesis.training_cutoff == date(2026, 9, 1)
        assert request.thesis.cutoff_basis == "released"

    def test_takes_the_stated_cut_off_first(self, stub, candidate, settings):
        settings.CLAUDE_TRAINING_CUTOFF = date(2026, 3, 31)

        (request,) = write(candidate, "claude")

        assert (request.thesis.training_cutoff, request.thesis.cutoff_basis) == (
            date(2026, 3, 31), "stated",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("reply", "reason"),
        [
            (wire.REFUSAL, "refusal"),
            (wire.CUT, "cut_off"),
            (wire.OUT_OF_RANGE, "invalid"),
            (wire.NOT_A_THESIS, "not_json"),
            (wire.NOT_JSON, "not_json"),
            (wire.UNAUTHORIZED, "unauthorized"),
            (wire.BILLING, "billing"),
            (wire.RETIRED, "model_gone"),
            (wire.BUSY, "rate_limited"),
            (wire.CAPPED, "monthly_cap"),
            (wire.BROKEN, "server_error"),
            (wire.OVERLOADED, "overloaded"),
            (wire.BAD_REQUEST, "bad_request"),
            (wire.FORBIDDEN, "forbidden"),
        ],
        ids=lambda value: value if isinstance(value, str) else None,
    )
    def test_leaves_the_rules_in_its_place_and_says_why(self, stub, candidate, reply, reason):
        stub.say(reply)

        (request,) = write(candidate, "claude")

        assert (request.outcome, request.reason) == ("stand_in", reason)
        assert request.message
        assert request.thesis.author == theses.RULES_AUTHOR
        assert Thesis.objects.count() == 1

    @pytest.mark.parametrize(
        ("settings_", "reason"),
        [
            ({"CLAUDE_API_KEY": ""}, "no_key"),
            ({"CLAUDE_DAILY_USD": 0.0}, "over_budget"),
            ({"CLAUDE_DAILY_TOKENS": 10}, "over_budget"),
            ({"CLAUDE_MODEL": "claude-next"}, "no_price"),
            ({"CLAUDE_BASE_URL": "http://127.0.0.1:9"}, "unreachable"),
        ],
        ids=["key", "dollars", "tokens", "price", "network"],
    )
    def test_stands_aside_for_the_same_reasons(self, stub, candidate, settings, settings_, reason):
        for name, value in settings_.items():
            setattr(settings, name, value)

        (request,) = write(candidate, "claude")

        assert (request.outcome, request.reason) == ("stand_in", reason)

    def test_keeps_what_could_not_be_used(self, stub, candidate):
        stub.say(wire.NOT_A_THESIS)

        (request,) = write(candidate, "claude")

        assert request.raw_answer == "I would rather talk."

    def test_fails_where_the_rules_cannot_stand_in(self, stub):
        stub.say(wire.REFUSAL)

        (request,) = write(factories.make_candidate(), "claude")

        assert (request.outcome, request.reason) == ("failed", "refusal")

    def test_can_be_asked_again_after_a_fault(self, stub, candidate):
        stub.say(wire.REFUSAL, wire.message())

        outcomes = [write(candidate, "claude")[0].outcome for _ in range(2)]

        assert outcomes == ["stand_in", "written"]


class TestRecordByPerson:
    def test_freezes_it_under_the_same_rules(self, candidate):
        ann = factories.make_user(username="ann")
        draft = thesis_rules.write(make_pack())

        thesis = theses.record_by_person(candidate=candidate, draft=draft, author=ann, now=NOW)

        assert (thesis.author_kind, thesis.author, thesis.written_by) == ("person", "ann", ann)
        assert thesis.number == 1
        assert thesis.data_pack["symbol"] == "VIGL"

    def test_names_what_is_wrong(self, candidate):
        from dataclasses import replace

        wrong = replace(thesis_rules.write(make_pack()), falsifiers=["it falls"], p_target=2.0)

        with pytest.raises(theses.BadDraft, match=r"p_target.*falsifiers"):
            theses.record_by_person(
                candidate=candidate, draft=wrong, author=factories.make_user(), now=NOW
            )
        assert Thesis.objects.count() == 0


class TestGetTheses:
    def test_narrows(self, candidate):
        write(candidate, "rules")
        factories.make_thesis(symbol="CRWV", session=date(2024, 6, 3), author="rules:9")
        factories.make_thesis(source="simulated")

        def symbols(**asked):
            found = theses.get_theses(source="imported", **asked)
            return [thesis.symbol for thesis in found]

        assert symbols() == ["CRWV", "VIGL"]
        assert symbols(symbol="vigl") == ["VIGL"]
        assert symbols(session=SESSION) == ["VIGL"]
        assert symbols(last=date(2024, 6, 10)) == ["CRWV"]
        assert symbols(author="rules:9") == ["CRWV"]
        assert symbols(candidate=candidate.pk) == ["VIGL"]


class TestPack:
    def test_is_within_its_bound_and_says_what_is_missing(self, candidate):
        pack = thesis_packs.get_pack(candidate=candidate)

        assert data_pack.size(pack) <= data_pack.MOST_BYTES
        assert pack["matched_base"]["reason"]
        assert pack["neighbours"]["reason"]
        assert pack["news"].startswith("not available")
        assert pack["calendar"]["entry_session"] == "2024-07-01"
        assert pack["calendar"]["half_days"] == ["2024-07-03"]

    def test_holds_notices_of_its_session_only(self, candidate):
        from analytics.models import Filing

        for day, accession in ((date(2024, 6, 20), "a"), (date(2024, 7, 2), "b")):
            Filing.objects.create(
                accession=accession, symbol="VIGL", cik="1", kind="424B", form="424B5",
                accepted_at=datetime(day.year, day.month, day.day, tzinfo=UTC), fetched_at=NOW,
            )  # fmt: skip

        notices = thesis_packs.get_pack(candidate=candidate)["notices"]

        assert notices == [{"kind": "offering", "label": "424B5", "at": "2024-06-20"}]

    def test_takes_the_portfolio_as_it_is_given(self, candidate):
        held = {"held": {"weight": 0.08, "limit": 0.1, "unrealised": -0.3}}

        (request,) = write(candidate, "rules", context=theses.Context(portfolio=held))

        assert request.thesis.data_pack["portfolio"] == held
        assert request.thesis.recommendation == "LIQUIDATE"


class TestLifecycle:
    def test_warns_once_before_a_model_goes_away(self, stub):
        from analytics.models import Alert

        stub.models = wire.models(lifecycle="deprecated", retires_at="2027-01-01T00:00:00Z")

        said = [claude_models.record_lifecycle(now=NOW) for _ in range(2)]

        assert said[0] == said[1]
        assert "retires on 2027-01-01" in said[0]
        assert Alert.objects.get().severity == "warning"

    def test_says_nothing_of_an_active_model(self, stub):
        assert claude_models.record_lifecycle(now=NOW) == ""

    def test_does_without_a_key(self):
        assert claude_models.record_lifecycle(now=NOW) == ""
        assert claude_models.get_cutoff().day is None

    def test_does_not_stop_at_a_fault(self, stub):
        stub.models = wire.BROKEN

        assert claude_models.get_cutoff().day is None


class TestRequests:
    def test_keep_one_row_per_author_and_attempt(self, stub, candidate):
        write(candidate, "rules", "claude")

        assert list(ThesisRequest.objects.order_by("pk").values_list("author_kind", flat=True)) == [
            "rules",
            "claude",
        ]
