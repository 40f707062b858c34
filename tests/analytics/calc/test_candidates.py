"""Ranking: the lower bound, components that nobody has, ties."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from analytics.calc import replay, sessions
from analytics.calc.detector import ORIGINAL, SQUEEZE, Rules
from analytics.calc.replay import VariantReplay
from analytics.calc.similarity import Reference
from tests.markets import from_rows

START = sessions.number(date(2022, 3, 1))
DAYS = [sessions.day(START + at) for at in range(26)]
KNOWN: datetime = sessions.cut_off(DAYS[20])


def scan(
    stocks: dict[str, dict[str, Any]],
    *,
    rules: Rules = SQUEEZE,
    references: tuple[Reference, ...] = (),
) -> VariantReplay:
    """Scan the last of 26 sessions.

    Args:
        stocks: By symbol: ``times`` the usual volume on the last session, its ``close``,
            ``shares`` of public float and ``short`` of them, ``mood``, ``split`` that day.
    """
    rows: dict[str, list[Any]] = {
        name: [] for name in ("bars", "securities", "shares", "short_interest", "sentiment")
    }
    rows["splits"] = []
    for symbol, stock in stocks.items():
        close = stock.get("close", 3.0)
        for day in DAYS[:-1]:
            rows["bars"].append((symbol, day, 3.0, 3.1, 2.9, 3.0, 1e6))
        times = stock.get("times", 5.0)
        rows["bars"].append((symbol, DAYS[-1], close, close, close, close, times * 1e6))
        rows["securities"].append((symbol, DAYS[0], DAYS[-1], stock.get("kind", "common")))
        if "shares" in stock:
            rows["shares"].append((symbol, DAYS[2], KNOWN, stock["shares"], None))
        if "short" in stock:
            rows["short_interest"].append((symbol, DAYS[10], KNOWN, stock["short"], 1.0))
        if "mood" in stock:
            rows["sentiment"].append((symbol, KNOWN, stock["mood"]))
        if "split" in stock:
            rows["splits"].append((symbol, DAYS[-1], stock["split"], KNOWN))
    found = replay.run(
        from_rows(**rows).panel(),
        variants=[rules],
        references=references,
        first=DAYS[-1],
        last=DAYS[-1],
    )
    return found.variants[0]


def ranked(found: VariantReplay) -> list[str]:
    return found.candidates["symbol"].to_list()


class TestRank:
    def test_is_by_score(self):
        assert ranked(scan({"A": {"times": 3}, "B": {"times": 9}, "C": {"times": 6}})) == [
            "B",
            "C",
            "A",
        ]

    def test_counts_what_is_missing_for_one_symbol_as_nothing(self):
        found = scan({"A": {}, "B": {"shares": 5e6}}).candidates

        assert found["symbol"].to_list() == ["B", "A"]
        by_symbol = {row["symbol"]: row for row in found.to_dicts()}
        volume = 0.40 * by_symbol["A"]["c_volume"]
        assert by_symbol["A"]["rank_score"] == pytest.approx(100 * volume / 0.85)
        assert by_symbol["A"]["score"] == pytest.approx(100 * volume / 0.70)
        assert by_symbol["B"]["rank_score"] == pytest.approx(100 * (volume + 0.15) / 0.85)

    def test_drops_what_is_missing_for_the_whole_batch(self):
        found = scan({"A": {}, "B": {"shares": 5e6}})

        assert found.batches["dropped_components"].to_list() == [["short_interest"]]

    def test_drops_nothing_where_nobody_is_ranked(self):
        found = scan({"A": {"times": 1.0}})

        assert found.batches["dropped_components"].to_list() == [[]]
        assert found.batches["mean_score"].to_list() == [None]

    def test_a_component_without_weight_is_never_dropped(self):
        found = scan({"A": {"mood": 0.0}}, rules=ORIGINAL)

        assert "float" not in found.batches["dropped_components"][0]

    def test_breaks_ties_by_similarity_and_then_by_symbol(self):
        stocks = {"C": {}, "A": {}, "B": {"close": 3.0}, "D": {"close": 2.9}}
        same_score = replace(SQUEEZE, weights={"volume": 1.0})
        likes_2_9 = (Reference(symbol="R", close=2.9),)

        assert ranked(scan(stocks, rules=same_score)) == ["A", "B", "C", "D"]
        assert ranked(scan(stocks, rules=same_score, references=likes_2_9)) == ["D", "A", "B", "C"]

    def test_keeps_the_best_so_many(self):
        stocks = {f"S{k}": {"times": 2.0 + k} for k in range(7)}

        found = scan(stocks, rules=replace(SQUEEZE, top=3))

        assert ranked(found) == ["S6", "S5", "S4"]
        assert found.candidates["rank"].to_list() == [1, 2, 3]
        assert found.batches["funnel"][0].to_list()[-1] == 7

    def test_shadow_list_leaves_out_the_relative_volume_gate_alone(self):
        stocks = {"A": {}, "B": {"times": 1.2}, "C": {"times": 1.3, "shares": 2e8}}

        found = scan(stocks)

        assert ranked(found) == ["A"]
        assert found.shadow["symbol"].to_list() == ["A", "B"]


class TestGates:
    @pytest.mark.parametrize(
        ("stock", "passed"),
        [
            ({}, 9),
            ({"kind": "adr"}, 9),
            ({"kind": "etf"}, 0),
            ({"kind": "unknown"}, 0),
            ({"times": 0.0}, 2),
            ({"split": 2.0}, 3),
            ({"close": 1.0}, 9),
            ({"close": 8.0}, 9),
            ({"close": 0.99}, 4),
            ({"close": 8.01}, 4),
            ({"times": 1.49}, 6),
            ({"shares": 1e8}, 7),
            ({"shares": 9.9e7}, 9),
        ],
    )
    def test_are_counted_in_their_order(self, stock, passed):
        batch = scan({"A": stock}).batches.row(0, named=True)

        assert batch["universe_size"] == 1
        assert batch["funnel"] == [1] * passed + [0] * (9 - passed)

    def test_price_band_uses_the_price_as_traded(self):
        rows = {
            "bars": [("A", day, 30.0, 30.0, 30.0, 30.0, 1e5) for day in DAYS[:10]]
            + [("A", day, 3.0, 3.0, 3.0, 3.0, 1e6) for day in DAYS[10:-1]]
            + [("A", DAYS[-1], 3.0, 3.0, 3.0, 3.0, 3e6)],
            "securities": [("A", DAYS[0], DAYS[-1], "common")],
            "splits": [("A", DAYS[10], 10.0, sessions.opening(DAYS[10]))],
        }

        found = replay.run(
            from_rows(**rows).panel(),
            variants=[replace(SQUEEZE, min_sessions=1, min_rel_volume=0)],
            references=[],
            first=DAYS[0],
            last=DAYS[-1],
        ).variants[0]

        fifth = found.batches["funnel"].list.get(4).to_list()
        assert fifth == [0] * 11 + [1] * 15  # 30 USD, the split itself, then 3 USD

    @pytest.mark.parametrize(("listed", "passed"), [(20, 0), (21, 1)])
    def test_a_listing_must_be_twenty_one_sessions_old(self, listed, passed):
        bars = [("A", day, 3.0, 3.0, 3.0, 3.0, 1e6) for day in DAYS[-listed:]]
        rows = {"bars": bars, "securities": [("A", DAYS[-listed], DAYS[-1], "common")]}

        found = replay.run(
            from_rows(**rows).panel(),
            variants=[SQUEEZE],
            references=[],
            first=DAYS[-1],
            last=DAYS[-1],
        ).variants[0]

        assert found.batches["funnel"][0][1] == passed

    def test_dollar_volume_must_reach_its_limit(self):
        limit = replace(SQUEEZE, min_dollar_volume=3e6)

        reached = scan({"A": {}}, rules=limit)
        missed = scan({"A": {}}, rules=replace(limit, min_dollar_volume=3e6 + 1))

        assert reached.batches["funnel"][0][5] == 1
        assert missed.batches["funnel"][0][5] == 0


class TestCandidates:
    def test_carry_their_features_and_similarities(self):
        references = (Reference(symbol="R", close=3.0), Reference(symbol="S", float_shares=1.0))

        row = scan({"A": {"times": 5}}, references=references).candidates.row(0, named=True)

        assert row["rel_volume"] == pytest.approx(5)
        assert row["similarity"] == row["similarity:R"] == 100
        assert row["similarity:S"] is None
        assert row["similarity_to"] == "R"
        assert row["similarity_coverage"] == pytest.approx(0.10)
        assert row["close_location"] is None
        assert row["label"] == ""

    def test_without_references_have_no_similarity(self):
        row = scan({"A": {}}).candidates.row(0, named=True)

        assert (row["similarity"], row["similarity_to"], row["similarity_coverage"]) == (
            None,
            "",
            None,
        )

    def test_know_short_fuel_only_with_short_interest(self):
        stocks = {"A": {}, "B": {"shares": 1e7, "short": 2e6}, "C": {"shares": 1e7, "short": 1e6}}

        found = scan(stocks).candidates.sort("symbol")

        assert found["short_fuel"].to_list() == [None, True, False]
        assert found["squeeze"].to_list() == [False, False, False]

    def test_have_means_per_session(self):
        found = scan({"A": {"times": 3}, "B": {"times": 9}})

        means = found.batches.select("mean_score", "mean_coverage").row(0)
        wanted = found.candidates.select(pl.col("score").mean(), pl.col("coverage").mean()).row(0)
        assert means == pytest.approx(wanted)
