import pytest
from django.urls import reverse

from analytics.admin import candidates
from tests import factories

pytestmark = pytest.mark.django_db


def story(client, candidate):
    page = client.get(reverse("admin:analytics_candidate_change", args=[candidate.pk]))
    return page.context["story"], page.content.decode()


class TestAnatomy:
    def test_parts_add_up_to_the_score(self):
        candidate = factories.make_candidate(
            c_volume=0.5, c_momentum=0.9, c_float=None, c_short_interest=0.2
        )

        rows = {row["component"]: row for row in candidates.anatomy(candidate)}

        total = sum(row["adds"] or 0 for row in rows.values())
        expected = 100 * (0.4 * 0.5 + 0.3 * 0.9 + 0.15 * 0.2) / 0.85
        assert total == pytest.approx(expected)
        assert rows["float"]["note"] == "unknown"
        assert rows["sentiment"]["note"] == "not in this variant"

    def test_says_when_a_component_is_missing_for_all(self):
        batch = factories.make_batch(dropped_components=["float"])
        candidate = factories.make_candidate(batch=batch, c_float=None)

        rows = {row["component"]: row for row in candidates.anatomy(candidate)}

        assert rows["float"]["note"] == "missing for the whole batch"

    def test_stands_on_the_page(self, admin_client):
        told, html = story(admin_client, factories.make_candidate())

        assert len(told["anatomy"]) == 6
        assert "short interest" in html


class TestLikeness:
    def test_labels_a_self_match(self, admin_client):
        candidate = factories.make_candidate(
            symbol="VIGL", similarities={"CRWV": 20.0, "VIGL": 99.0}
        )

        told, html = story(admin_client, candidate)

        assert [row["reference"] for row in told["likeness"]] == ["VIGL", "CRWV"]
        assert "by construction" in html

    def test_of_few_known_fields_is_labelled_partial(self):
        candidate = factories.make_candidate(
            symbol="ELSE", similarity_to="VIGL", similarity_coverage=0.4
        )

        row = candidates.likeness(candidate)[0]

        assert (row["coverage"], row["note"]) == (0.4, "partial")


class TestLinks:
    def test_lead_to_batch_and_outcome(self, admin_client):
        candidate = factories.make_candidate()

        html = admin_client.get(reverse("admin:analytics_candidate_changelist")).content.decode()

        assert reverse("admin:analytics_discoverybatch_change", args=[candidate.batch_id]) in html
        assert f"candidate__id__exact={candidate.pk}" in html

    def test_to_a_label_keep_the_order_of_the_labels(self, admin_client):
        rare = factories.make_candidate(label="top 1 %", history_share=0.005)
        blank = factories.make_candidate(symbol="NEW", batch=rare.batch)
        address = reverse("admin:analytics_candidate_changelist")

        def shown(label):
            return list(admin_client.get(address, {"label": label}).context["cl"].result_list)

        assert shown("top 1 %") == [rare]
        assert shown("blank") == [blank]
        assert len(shown("anything")) == 2

    @pytest.mark.parametrize(
        "query",
        [
            {"batch__session__gte": "2024-01-01", "batch__session__lte": "2024-12-31"},
            {"batch__variant__id__exact": "1"},
            {"symbol__exact": "VIGL"},
            {"batch__id__exact": "1"},
        ],
    )
    def test_may_filter_as_they_do(self, admin_client, query):
        address = reverse("admin:analytics_candidate_changelist")

        answer = admin_client.get(address, {"origin": "all", **query})

        assert answer.status_code == 200  # a filter that is not allowed answers 400


class TestReadable:
    def test_percentages_and_money_carry_their_units(self, admin_client):
        candidate = factories.make_candidate(ret_1=0.123, close="2.94", float_shares=None)

        _told, html = story(admin_client, candidate)

        assert "+12.3 %" in html
        assert "$2.94" in html
