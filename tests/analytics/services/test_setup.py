"""First rows: claims stored as claims, kept when stored before."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from analytics.models import Baseline, ReferencePattern, Source, Variant, VariantKind
from analytics.services import setup

pytestmark = pytest.mark.django_db


class TestBaseline:
    def test_is_the_missions_claim(self):
        setup.store_baseline()

        row = Baseline.objects.get()
        assert row.source == Source.CLAIMED
        assert round(row.win_rate, 2) == 0.73
        assert round(row.explosive_rate, 3) == 0.467
        assert row.average_return == 1.52
        assert (row.profit_usd, row.invested_usd) == (957.50, 1500)
        assert [star["symbol"] for star in row.stars] == ["VIGL", "CRWV", "AEVA"]

    def test_keeps_what_a_person_changed(self):
        setup.store_baseline()
        Baseline.objects.update(note="looked into")

        assert setup.store_baseline().rows == {"June-July 2024": False}
        assert Baseline.objects.get().note == "looked into"


class TestReferences:
    def test_are_filled_for_vigl_only(self):
        setup.store_references()

        vigl = ReferencePattern.objects.get(symbol="VIGL")
        assert (vigl.entry_price, vigl.peak_price, vigl.gain) == (2.94, 12.46, 3.24)
        assert (vigl.volume_spike, vigl.sessions_to_peak) == (20.9, 14)
        assert (vigl.price_low, vigl.price_high) == (2.94, 4.66)
        assert vigl.characteristics == ["extreme_volume", "small_float", "high_short_interest"]

    @pytest.mark.parametrize(("symbol", "gain"), [("CRWV", 1.71), ("AEVA", 1.62)])
    def test_leave_what_is_not_known_open(self, symbol, gain):
        setup.store_references()

        row = ReferencePattern.objects.get(symbol=symbol)
        assert row.gain == gain
        assert row.entry_price is row.volume_spike is row.float_shares is None
        assert row.short_interest_pct is row.signal_session is None


class TestVariants:
    def test_carry_the_weights_of_the_design(self):
        setup.store_variants()

        a, b, _learned = Variant.objects.order_by("name")
        assert a.weights == {
            "volume": 0.30, "momentum": 0.25, "float": 0, "short_interest": 0,
            "technical": 0.20, "sentiment": 0.25,
        }  # fmt: skip
        assert b.weights == {
            "volume": 0.40, "momentum": 0.30, "float": 0.15, "short_interest": 0.15,
            "technical": 0, "sentiment": 0,
        }  # fmt: skip
        for variant in (a, b):
            assert (variant.min_close, variant.max_close) == (1, 8)
            assert variant.min_dollar_volume == 500_000
            assert variant.min_rel_volume == 1.5
            assert variant.max_float == 100_000_000
            assert (variant.min_sessions, variant.min_coverage, variant.top) == (21, 0.55, 50)

    def test_the_learned_one_has_its_own_gates_and_no_weights(self):
        setup.store_variants()

        learned = Variant.objects.get(name="C")
        assert learned.kind == VariantKind.LEARNED
        assert set(learned.weights.values()) == {0}
        assert (learned.min_rel_volume, learned.min_close, learned.max_close) == (0, 1, 8)

    def test_are_not_stored_beside_a_later_version(self):
        Variant.objects.create(name="A", version=3, title="mine")

        assert setup.store_variants().rows == {"A": False, "B": True, "C": True}


class TestGroups:
    def test_let_viewers_see_and_nothing_else(self):
        setup.store_groups()

        given = Group.objects.get(name="viewers").permissions.values_list("codename", flat=True)
        assert given
        assert all(name.startswith("view_") for name in given)

    def test_grow_from_viewers_to_administrators(self):
        setup.store_groups()

        names = ["viewers", "traders", "data managers", "administrators"]
        granted = [
            set(Group.objects.get(name=name).permissions.values_list("pk", flat=True))
            for name in names
        ]
        assert granted[0] < granted[1] < granted[2] < granted[3]

    def test_let_traders_run_discovery(self):
        setup.store_groups()

        trader = get_user_model().objects.create_user("trader")
        trader.groups.add(Group.objects.get(name="traders"))
        assert trader.has_perm("analytics.run_discovery")
        assert not trader.has_perm("analytics.change_security")

    def test_keep_what_was_added_by_hand(self):
        setup.store_groups()
        viewers = Group.objects.get(name="viewers")
        viewers.permissions.add(*Group.objects.get(name="administrators").permissions.all()[:3])
        count = viewers.permissions.count()

        assert setup.store_groups().rows["viewers"] is False
        assert viewers.permissions.count() == count


class TestAdmin:
    def test_gets_a_password_that_is_not_stored_in_clear(self):
        made = setup.create_admin()

        assert made is not None
        user = get_user_model().objects.get(username=made.username)
        assert user.check_password(made.password)
        assert made.password not in user.password
        assert len(made.password) >= 16

    def test_is_made_once(self):
        setup.create_admin()

        assert setup.create_admin() is None
        assert get_user_model().objects.count() == 1
