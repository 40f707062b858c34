import numpy as np
import pytest

from analytics.calc import data_pack, number_check, thesis_draft, thesis_rules
from analytics.calc.thesis_rules import first_passage, write
from tests.thesis_packs import make_inputs, make_pack


def changed(part, **values):
    return {**getattr(make_inputs(), part), **values}


class TestWrite:
    def test_is_the_same_for_the_same_pack(self):
        assert write(make_pack()) == write(make_pack())

    def test_can_be_issued(self):
        assert thesis_draft.problems(write(make_pack()), close=2.94) == []

    def test_sets_barriers_by_the_true_range(self):
        draft = write(make_pack())

        assert draft.stop == pytest.approx(2.94 * (1 - 0.15), abs=1e-4)
        assert draft.target == pytest.approx(2.94 * (1 + 0.30), abs=1e-4)
        assert draft.max_entry == pytest.approx(2.94 * 1.075, abs=1e-4)

    @pytest.mark.parametrize(("reach", "away"), [(0.001, 0.05), (0.9, 0.25)])
    def test_bounds_the_stop(self, reach, away):
        draft = write(make_pack(features=changed("features", atr_pct_14=reach)))

        assert draft.stop == pytest.approx(2.94 * (1 - away), abs=1e-4)

    def test_buys_when_no_rule_speaks_against_it(self):
        assert write(make_pack()).recommendation == "BUY"

    @pytest.mark.parametrize(
        "change",
        [
            {"candidate": changed("candidate", pattern="STANDARD", label="top 20 %")},
            {"notices": [{"kind": "offering", "label": "424B5", "at": "2024-06-20"}]},
            {"features": changed("features", close_location=0.2)},
            {"base": {"share": 0.1, "n": 4100}},
            {"base": {"reason": "nothing has settled"}},
            {"similarity": []},
            {"candidate": changed("candidate", volume_event=True)},
        ],
        ids=["pattern", "offering", "weak close", "no lift", "no base", "no likeness", "event"],
    )
    def test_avoids_for_each_rule_against_it(self, change):
        assert write(make_pack(**change)).recommendation == "AVOID"

    @pytest.mark.parametrize(
        ("held", "said"),
        [
            ({"unrealised": -0.3, "weight": 0.05, "limit": 0.1}, "LIQUIDATE"),
            ({"unrealised": 0.1, "weight": 0.15, "limit": 0.1}, "TRIM"),
            ({"unrealised": 0.1, "weight": 0.05, "limit": 0.1}, "BUY"),
        ],
    )
    def test_looks_at_what_is_held(self, held, said):
        assert write(make_pack(portfolio={"held": held})).recommendation == said

    def test_says_nothing_that_the_pack_does_not(self):
        for change in ({}, {"base": {"share": 0.1, "n": 4100}}):
            pack = make_pack(**change)
            draft = write(pack)
            known = {"facts": data_pack.facts(pack), "dates": data_pack.dates(pack)}
            said = [draft.text, *draft.reasons]

            figures = [f for text in said for f in number_check.check(text, **known)]
            assert figures
            assert [f for f in figures if not f.supported] == []

    def test_takes_a_share_of_nought_as_a_share(self):
        none = [{**make_inputs().similarity[0], "reached": {"share": 0.0, "n": 300}}]

        assert write(make_pack(similarity=none)).p_explosive == 0.0

    def test_does_not_guess_a_range(self):
        with pytest.raises(thesis_rules.NoRange):
            write(make_pack(features={"close": 2.94, "rel_volume": 2.0}))


class TestFirstPassage:
    def test_is_the_share_of_simulated_walks(self):
        draws = np.random.default_rng(7).normal(0, 0.06 / 20, (4000, 14 * 400))
        paths = np.cumsum(draws, axis=1)
        up, down = np.log(1.3), np.log(0.85)
        first_up = np.where((paths >= up).any(1), (paths >= up).argmax(1), 10**9)
        first_down = np.where((paths <= down).any(1), (paths <= down).argmax(1), 10**9)

        share = (first_up < first_down).mean()
        found = first_passage(up=0.3, down=0.15, sigma=0.06, steps=14)
        assert found == pytest.approx(share, abs=0.03)

    def test_tends_to_the_ruin_of_a_gambler(self):
        up, down = np.log(1.3), -np.log(0.85)

        found = first_passage(up=0.3, down=0.15, sigma=0.5, steps=1000)

        assert found == pytest.approx(down / (up + down))

    def test_is_nought_without_movement(self):
        assert first_passage(up=0.3, down=0.15, sigma=1e-3, steps=1) == pytest.approx(0, abs=0.02)
