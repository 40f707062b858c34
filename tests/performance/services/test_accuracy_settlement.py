from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from performance.models import ThesisAccuracy
from performance.services import accuracy_settlement
from tests import factories
from tests.thesis_market import CALM, MARKET, UP, bars, day, fill, open_lake, thesis

pytestmark = pytest.mark.django_db
NOW = datetime(2023, 8, 1, 22, tzinfo=UTC)


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    return open_lake()


def settle(now=NOW, **fields):
    return accuracy_settlement.settle_theses(source="imported", now=now, **fields)


def row(of):
    return ThesisAccuracy.objects.get(thesis=of)


class TestSettleTheses:
    def test_settles_each_as_its_bars_say(self, lake):
        fill(lake)
        rise, calm, gap, gone = (thesis(name) for name in ("RISE", "CALM", "GAP", "GONE"))

        done = settle()

        assert (done.looked_at, done.settled, done.void, done.changed) == (4, 3, 1, 4)
        hit = row(rise)
        assert (hit.settlement, hit.direction_right, hit.target_reached) == ("target", True, True)
        assert (hit.entry_session, hit.exit_session) == (day(1), day(5))
        assert (hit.settled_session, hit.sessions_held) == (day(14), 5)
        assert (hit.entry_price, hit.exit_price) == (3.0, 4.5)
        assert (hit.return_exit, hit.return_horizon) == (0.5, 0.0)
        assert hit.brier == pytest.approx(0.64)
        assert (hit.explosive, hit.sector, hit.is_final) == (False, "Energy", True)
        flat = row(calm)
        assert (flat.settlement, flat.direction_right, flat.reason) == ("neither", False, "")
        assert (flat.right_if_up, flat.right_if_down, flat.right_if_flat) == (False, False, True)
        assert (row(gap).settlement, row(gap).reason) == ("void", "opened at 5, beyond the target")
        ended = row(gone)
        assert (ended.settlement, ended.last_trade) == ("neither", day(3))
        assert ended.reason == f"stopped trading: last bar {day(3)}"

    @pytest.mark.parametrize(
        ("recommendation", "right"),
        [("BUY", False), ("HOLD", True), ("TRIM", True), ("LIQUIDATE", True), ("AVOID", True)],
    )
    def test_judges_each_call_by_its_own_rule(self, lake, recommendation, right):
        lake.upsert("bars", bars("CALM", [CALM] * 14 + [(2.9, 2.9, 2.85, 2.85)] * 20))
        made = thesis("CALM", recommendation=recommendation)

        settle()

        assert row(made).return_horizon == pytest.approx(-0.05)
        assert row(made).direction_right is right

    def test_says_what_it_waits_for(self, lake):
        fill(lake)
        rise, newest = thesis("RISE", at=1, horizon=60), thesis("CALM", at=44)

        settle()

        assert row(rise).settlement == row(newest).settlement == "pending"
        ends = f"the horizon ends on {day(61)}, bars end on {day(44)}"
        assert row(rise).reason == f"target first on {day(5)}; {ends}"
        assert row(rise).exit_session == day(5)
        assert row(newest).reason == f"the horizon ends on {day(58)}, bars end on {day(44)}"

    def test_waits_at_a_hole_of_the_data(self, lake):
        fill(lake)
        lake.upsert("bars", bars("SPY", MARKET[:10], start=60))
        made = thesis("CALM", at=40)

        settle()

        assert row(made).reason == f"the data have a hole after {day(44)}"

    def test_may_run_twice(self, lake):
        fill(lake)
        thesis("RISE")
        open_one = thesis("CALM", at=40)
        settle()
        before = list(ThesisAccuracy.objects.order_by("pk").values())

        again = settle(now=NOW + timedelta(days=1))

        assert (again.looked_at, again.changed) == (0, 0)
        assert list(ThesisAccuracy.objects.order_by("pk").values()) == before
        assert row(open_one).settlement == "pending"

    def test_settles_what_was_open_when_bars_arrive(self, lake):
        fill(lake)
        made = thesis("CALM", at=40)
        settle()

        lake.upsert("bars", bars("SPY", MARKET, start=45))
        lake.upsert("bars", bars("CALM", [CALM] * 40, start=45))
        done = settle()

        assert (done.looked_at, done.changed) == (1, 1)
        assert row(made).settlement == "neither"

    def test_heeds_a_correction_of_a_bar_that_it_rests_on(self, lake):
        fill(lake)
        rise, other = thesis("RISE"), thesis("CALM", at=20)
        settle()
        assert row(rise).is_final
        lake.upsert("bars", bars("RISE", [CALM], start=5))
        assert settle().looked_at == 0

        done = settle(corrected=[day(5)])

        assert (done.looked_at, done.changed) == (1, 1)
        assert row(rise).settlement == "neither"
        assert row(other).settlement == "neither"

    def test_looks_at_everything_again_when_asked(self, lake):
        fill(lake)
        thesis("RISE")
        settle()

        assert settle(again=True).looked_at == 1

    def test_reads_a_split_inside_the_window(self, lake):
        halves = [tuple(price / 2 for price in bar) for bar in (UP, *[CALM] * 39)]
        lake.upsert("bars", bars("RISE", [*[CALM] * 5, *halves]))
        known = pl.lit(NOW).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
        split = {"symbol": ["RISE"], "ex_date": [day(5)], "ratio": [2.0], "source": ["imported"]}
        lake.upsert("splits", pl.DataFrame(split).with_columns(known_on=known))
        made = thesis("RISE")

        settle()

        assert (row(made).settlement, row(made).exit_price) == ("target", 4.5)

    def test_takes_no_other_realm(self, lake):
        fill(lake)
        factories.make_thesis(symbol="RISE", session=day(0), source="simulated")

        assert settle().looked_at == 0


class TestSkill:
    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"author_kind": "rules"}, ""),
            ({"author_kind": "rules", "is_late": True}, ""),
            ({"author_kind": "person"}, ""),
            ({"author_kind": "person", "is_late": True}, "written after"),
            ({"author_kind": "claude"}, "not known"),
            ({"author_kind": "claude", "training_cutoff": day(0)}, f"training cut-off {day(0)}"),
            ({"author_kind": "claude", "training_cutoff": day(-1)}, ""),
        ],
        ids=["rules", "replay", "person", "hindsight", "no-cut-off", "on-the-cut-off", "after"],
    )
    def test_needs_a_case_that_could_not_be_known(self, lake, fields, reason):
        fill(lake)
        basis = {"cutoff_basis": "stated"} if "training_cutoff" in fields else {}
        made = thesis("RISE", **fields, **basis)

        settle()

        assert row(made).counts_as_skill is (reason == "")
        assert reason in row(made).no_skill_reason
