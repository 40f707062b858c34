import pytest
from django.db import IntegrityError, transaction

from tests import factories, score_rows

pytestmark = pytest.mark.django_db


def refused(make, constraint, **fields):
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        make(**fields)
    return constraint in str(error.value)


class TestRoadmapCheck:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("roadmap_state_known", {"state": "maybe"}),
            ("roadmap_override_has_owner_and_note", {"override": "met"}),
            ("roadmap_override_has_owner_and_note", {"override_note": "because"}),
            ("roadmap_check_is_one_of_fifteen", {"position": 16}),
            ("roadmap_check_is_one_of_fifteen", {"phase": 5}),
            ("roadmap_check_is_one_of_fifteen", {"evidence": ""}),
            ("roadmap_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses(self, constraint, fields):
        assert refused(score_rows.make_check, constraint, **fields)

    def test_refuses_an_override_without_a_note(self):
        owner = factories.make_user()
        whole = {"override_by": owner, "override_at": score_rows.EVENING}

        assert refused(
            score_rows.make_check, "roadmap_override_has_owner_and_note", override="met", **whole
        )
        score_rows.make_check(override="met", override_note="seen", **whole)

    def test_exists_once_per_source(self):
        score_rows.make_check()

        with pytest.raises(IntegrityError), transaction.atomic():
            score_rows.make_check()
        score_rows.make_check(source="simulated")


class TestRoadmapChange:
    @pytest.mark.parametrize("fields", [{"after": "unknown"}, {"after": "x"}], ids=str)
    def test_refuses_what_changes_nothing(self, fields):
        assert refused(score_rows.make_change, "roadmap_change_changes", **fields)
