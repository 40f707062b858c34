from datetime import date

import pytest

from performance.services import discovery_patterns
from tests import factories

pytestmark = pytest.mark.django_db
END = date(2024, 6, 28)


def ask(**more):
    return discovery_patterns.get_patterns(
        **{"end": END, "days_back": 7, "source": "imported", **more}
    )


def kinds(found):
    return {each.name: each for each in found.patterns}


class TestPatterns:
    def test_are_counted_with_what_became_of_them(self):
        batch = factories.make_batch(session=END)
        plain = factories.make_candidate(batch=batch, symbol="A", similarity=20.0)
        vigl = factories.make_candidate(
            batch=batch, symbol="B", vigl_pattern=True, volume_alert=True, similarity=80.0
        )
        factories.make_tracking(candidate=plain)
        factories.make_tracking(
            candidate=vigl, explosive=True, peak_close_return=0.7, outcome="explosive"
        )

        (found,) = ask()

        assert found.variant == "B v1"
        every, pattern = kinds(found)["all"], kinds(found)["vigl_pattern"]
        assert (every.candidates, every.settled, every.explosive) == (2, 2, 1)
        assert (every.mean_similarity, every.best_similarity) == (50.0, 80.0)
        assert (pattern.candidates, pattern.explosive) == (1, 1)
        assert kinds(found)["short_fuel"].mean_similarity is None

    def test_keep_to_the_window_the_variant_and_the_source(self):
        factories.make_tracking(candidate=factories.make_candidate(session=END))

        assert ask(end=date(2024, 7, 30)) == []
        assert ask(variant="A") == []
        assert ask(source="simulated") == []

    def test_leave_what_has_not_settled_out_of_the_outcomes(self):
        factories.make_tracking(candidate=factories.make_candidate(session=END), status="pending")

        assert kinds(ask()[0])["all"].settled == 0


class TestTarget:
    def test_is_the_claimed_rate(self):
        assert discovery_patterns.get_target() is None
        factories.make_baseline()

        assert discovery_patterns.get_target() == pytest.approx(7 / 15)
