import json
from dataclasses import replace
from math import exp

import polars as pl
import pytest

from analytics.calc import learned_model, replay, sessions
from analytics.calc.candidates import NO_MODEL
from analytics.calc.detector import SQUEEZE, Rules
from analytics.calc.explain import explain
from tests.markets import make_market

MARKET = make_market(seed=5, symbols=14, length=330, split=0.004)
PANEL = MARKET.panel()
LAST = MARKET.sessions[-1]
EARLIER = sessions.offset(LAST, -3)


SINCE = sessions.offset(LAST, -200)


def model(*, since=SINCE, bias=-3.0, weight=0.5):
    names = ("volatility_20", "from_low_252", "market_heat", "short_change", "fails_pct")
    size = range(len(names))
    return learned_model.load(
        kind="logistic",
        usable_from=sessions.number(since),
        features=names,
        parameters={
            "bias": bias,
            "feature": list(size),
            "transform": [1, 0, 0, 0, 0],
            "shape": [0, 0, 1, 0, 0],
            "low": [-9.0] * 5,
            "high": [9.0] * 5,
            "mean": [-3.0, 0.2, 0.1, 0.0, 0.0],
            "scale": [1.0] * 5,
            "weight": [weight] * 5,
        },
        calibration={"slope": 0.9, "intercept": 0.1},
    )


def rules(*models):
    return Rules(
        name="C", weights={}, learned=True, models=models, min_rel_volume=0.0, max_float=1e12,
        min_coverage=0.2, min_dollar_volume=1e5, top=2,
    )  # fmt: skip


def run(*models, panel=PANEL, first=EARLIER, last=LAST):
    found = replay.run(
        panel, variants=[SQUEEZE, rules(*models)], references=[], first=first, last=last
    )
    return found, found.variants[1]


FOUND, SEEN = run(model())


def only(frame: pl.DataFrame, session=LAST) -> pl.DataFrame:
    return frame.filter(session=session).drop("row", strict=False)


class TestLearnedVariant:
    def test_names_the_likeliest(self):
        named = only(SEEN.candidates)

        assert named.height == 2
        assert named["p_explosive"].is_sorted(descending=True)
        assert named["score"].to_list() == (100 * named["p_explosive"]).to_list()
        assert named["rank_score"].to_list() == pytest.approx(named["score"].to_list())

    def test_contributions_add_up_to_the_probability(self):
        for row in SEEN.candidates.iter_rows(named=True):
            odds = sum(json.loads(row["contributions"]).values())
            assert 1 / (1 + exp(-odds)) == pytest.approx(row["p_explosive"], rel=1e-12)

    def test_has_no_label_and_no_components_to_drop(self):
        assert set(SEEN.candidates["label"]) == {""}
        assert SEEN.batches["dropped_components"].to_list() == [[]] * SEEN.batches.height

    def test_a_scan_of_one_session_says_the_same_bits(self):
        _, scanned = run(model(), panel=MARKET.reading(LAST).panel(), first=LAST, last=LAST)

        for name in ("candidates", "shadow", "batches"):
            assert only(getattr(scanned, name)).equals(only(getattr(SEEN, name))), name

    def test_never_reads_the_future(self):
        _, then = run(model(), panel=MARKET.until(EARLIER).panel(), first=EARLIER, last=EARLIER)

        for name in ("candidates", "shadow", "batches"):
            known, later = (only(getattr(one, name), EARLIER) for one in (then, SEEN))
            assert known.equals(later), name

    def test_leaves_the_rules_beside_it_alone(self):
        alone = replay.run(PANEL, variants=[SQUEEZE], references=[], first=EARLIER, last=LAST)

        assert alone.variants[0].candidates.equals(FOUND.variants[0].candidates)
        assert alone.variants[0].batches.equals(FOUND.variants[0].batches)


class TestModels:
    def test_without_one_the_batch_says_why(self):
        _, seen = run()

        assert seen.candidates.is_empty()
        assert seen.shadow.is_empty()
        assert set(seen.batches["note"]) == {NO_MODEL}
        assert set(seen.batches["model_digest"]) == {""}
        assert [funnel[-1] for funnel in seen.batches["funnel"]] == [0] * seen.batches.height

    def test_one_of_a_later_session_is_not_asked(self):
        newer = model(since=LAST, bias=-1.0)

        _, seen = run(model(), newer)

        assert only(seen.batches)["model_digest"].to_list() == [newer.digest]
        assert only(seen.batches, EARLIER).equals(only(SEEN.batches, EARLIER))
        assert only(seen.candidates, EARLIER).equals(only(SEEN.candidates, EARLIER))
        assert (
            only(seen.candidates)["p_explosive"].min() > only(SEEN.candidates)["p_explosive"].max()
        )

    def test_is_part_of_the_fingerprint(self):
        _, seen = run(replace(model(), digest="another"))

        assert not set(seen.batches["fingerprint"]) & set(SEEN.batches["fingerprint"])

    def test_stands_in_the_batch(self):
        assert set(SEEN.batches["model_digest"]) == {model().digest}
        assert set(SEEN.batches["note"]) == {""}
        assert set(FOUND.variants[0].batches["model_digest"]) == {""}


class TestExplain:
    def test_says_what_the_candidate_says(self):
        best = only(SEEN.candidates).row(0, named=True)

        told = explain(PANEL, FOUND, [], symbol=best["symbol"], session=LAST).verdicts[1]

        assert told.score == pytest.approx(best["score"])
        assert told.rank == 1
        assert {part.name: part.points for part in told.parts} == json.loads(best["contributions"])

    def test_without_a_model_there_is_no_score(self):
        found, _ = run()
        symbol = only(SEEN.candidates)["symbol"][0]

        told = explain(PANEL, found, [], symbol=symbol, session=LAST).verdicts[1]

        assert (told.score, told.parts) == (None, [])
