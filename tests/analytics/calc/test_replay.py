from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.calc import candidates, panel, replay, sessions
from analytics.calc.detector import COMPONENTS, ORIGINAL, SQUEEZE
from analytics.calc.kernels import layout
from analytics.calc.similarity import Reference
from tests.analytics.calc import oracle
from tests.markets import Market, from_rows, make_market, markets

VIGL = Reference(symbol="VIGL", rel_volume=20.9, close=2.94)
SMALL = Reference(symbol="SMAL", rel_volume=4.0, short_interest_pct=0.2, float_shares=2e7, close=4)
REFERENCES = [SMALL, VIGL]
LENIENT = replace(SQUEEZE, name="B lenient", min_rel_volume=0.3, min_dollar_volume=1e4, top=3)
VARIANTS = [ORIGINAL, SQUEEZE, LENIENT]


def run(market: Market, *, first: date | None = None, last: date | None = None) -> replay.Replay:
    days = market.sessions
    return replay.run(
        market.panel(),
        variants=VARIANTS,
        references=REFERENCES,
        first=first or days[0],
        last=last or days[-1],
    )


def tables(found: replay.Replay, last: date) -> dict[str, pl.DataFrame]:
    """Everything that a replay says of the sessions up to ``last``; rows of a panel left out."""
    said = {"events": found.events}
    for variant in found.variants:
        for name in ("batches", "candidates", "shadow"):
            frame = getattr(variant, name)
            said[f"{variant.rules.name} {name}"] = frame.drop("row", strict=False)
    return {name: frame.filter(pl.col("session") <= last) for name, frame in said.items()}


def row_tables(market: Market, found: replay.Replay, last: date) -> dict[str, pl.DataFrame]:
    """What a replay says of each bar, candidate or not: gate, relative volume, scores."""
    made, rows = market.panel(), found.pool.table.rows
    keys = market.bars.select("symbol", "session")
    said = {"rel_volume": keys.with_columns(value=found.rel_volume)}
    for variant in found.variants:
        name = variant.rules.name
        said[f"{name} gate"] = keys.with_columns(value=variant.code)
        said[f"{name} score"] = keys[rows].with_columns(
            score=variant.scores.score,
            coverage=variant.scores.coverage,
            alike=found.pool.alike.best,
            best=found.pool.alike.best_reference,
        )
    assert made.height == keys.height
    return {name: frame.filter(pl.col("session") <= last) for name, frame in said.items()}


def assert_same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    """Assert that all frames hold the same bits."""
    assert one.keys() == other.keys()
    for name, frame in one.items():
        try:
            assert_frame_equal(frame, other[name], check_exact=True)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def fingerprints(market: Market, session: date) -> list[str]:
    found = run(market, first=session, last=session)
    return [variant.batches["fingerprint"].item() for variant in found.variants]


class TestReplay:
    @settings(max_examples=30, deadline=None)
    @given(markets(lengths=(30, 110)), st.data())
    def test_never_reads_the_future(self, market, data):
        cut = data.draw(st.sampled_from(market.sessions))
        past = market.until(cut)

        then, now = run(past), run(market)

        assert_same(tables(now, cut), tables(then, cut))
        assert_same(row_tables(market, now, cut), row_tables(past, then, cut))

    @settings(max_examples=12, deadline=None)
    @given(st.integers(0, 2**31), st.integers(300, 380), st.booleans(), st.data())
    def test_of_one_session_gives_the_bits_of_the_whole_replay(self, seed, length, listed, data):
        market = make_market(seed=seed, symbols=7, length=length, listed=listed, split=0.005)
        session = data.draw(st.sampled_from(market.sessions[-60:]))

        one = run(market.reading(session), first=session, last=session)

        whole = tables(run(market), session)
        on_the_day = pl.col("session") == session
        assert_same(tables(one, session), {name: f.filter(on_the_day) for name, f in whole.items()})

    def test_of_one_session_agrees_after_a_long_suspension(self):
        market = with_suspension(330)
        session = market.sessions[320]

        one = run(market.reading(session), first=session, last=session)

        whole = tables(run(market), session)
        on_the_day = pl.col("session") == session
        assert_same(tables(one, session), {name: f.filter(on_the_day) for name, f in whole.items()})

    @settings(max_examples=25, deadline=None)
    @given(markets(lengths=(24, 60), most=6), st.data())
    def test_equals_the_oracle(self, market, data):
        session = data.draw(st.sampled_from(market.sessions[20:] or market.sessions))
        now = sessions.number(session)
        found = run(market, first=session, last=session)
        listings = oracle.listings(market)

        for rules, variant in zip(VARIANTS, found.variants, strict=True):
            wanted = oracle.scan(listings, now, rules, REFERENCES)
            batch = variant.batches.row(0, named=True)
            assert batch["universe_size"] == wanted.universe
            assert batch["funnel"] == wanted.funnel
            assert batch["candidate_count"] == len(wanted.picks)
            assert variant.candidates["symbol"].to_list() == [p["symbol"] for p in wanted.picks]
            assert variant.shadow["symbol"].to_list() == [p["symbol"] for p in wanted.shadow]
            for got, pick in zip(variant.candidates.to_dicts(), wanted.picks, strict=True):
                for name in ("score", "coverage", "rank_score", "similarity"):
                    assert got[name] == (pick[name] and pytest.approx(pick[name], rel=1e-9)), name
                for name in COMPONENTS:
                    part = pick["parts"][name]
                    assert got[f"c_{name}"] == (part and pytest.approx(part, rel=1e-9, abs=1e-9))

    def test_says_the_gate_that_each_bar_failed_first(self):
        market = make_market(seed=11, symbols=8, length=60, split=0.05)
        found = run(market)
        coded = row_tables(market, found, market.sessions[-1])

        for rules in VARIANTS:
            wanted = {}
            for listing in oracle.listings(market):
                for now in listing.bars:
                    row = oracle.features(listing, now)
                    _, covered = oracle.score(oracle.components(row), rules.weights)
                    gate = oracle.gate(listing, now, row, rules, covered)
                    wanted[listing.symbol, sessions.day(now)] = gate
            got = {row[:2]: row[2] for row in coded[f"{rules.name} gate"].rows()}
            assert got == wanted
        assert len({*wanted.values()}) > 6

    def test_is_the_same_bits_in_threads(self, monkeypatch):
        market = make_market(seed=6, symbols=9, length=90)
        alone = tables(run(market), market.sessions[-1])

        monkeypatch.setattr(panel, "FEWEST_FOR_THREADS", 0)
        monkeypatch.setattr(panel, "cpu_count", lambda: 3)

        assert_same(tables(run(market), market.sessions[-1]), alone)

    def test_of_sessions_without_bars_is_empty(self):
        found = run(make_market(length=30), first=date(2023, 1, 3), last=date(2023, 1, 9))

        assert all(frame.is_empty() for frame in tables(found, date(2030, 1, 1)).values())

    def test_of_no_bars_at_all_is_empty(self):
        found = run(from_rows(), first=date(2023, 1, 3), last=date(2023, 1, 9))

        assert all(frame.is_empty() for frame in tables(found, date(2030, 1, 1)).values())


def with_suspension(holes: int) -> Market:
    """A market one of whose listings stops for ``holes`` sessions and then goes on."""
    market = make_market(seed=4, symbols=5, length=400, hole=0, blank=0, split=0)
    days = [sessions.offset(market.sessions[0], n) for n in range(holes + 60)]
    bars = [("T", day, 3.0, 3.2, 2.9, 3.0, 1e6) for day in (*days[:10], *days[10 + holes :])]
    more = from_rows(
        bars=bars,
        securities=[("T", days[0], days[-1], "common")],
        shares=[("T", days[0], sessions.cut_off(days[2]), 1e7, None)],
    )
    for name in ("bars", "securities", "shares"):
        market = market.with_(name, pl.concat([getattr(market, name), getattr(more, name)]))
    return market


class TestFunnel:
    def test_counts_a_symbol_once_where_one_listing_follows_another(self):
        first = sessions.number(date(2022, 3, 1))
        days = [sessions.day(first + n) for n in range(40)]
        bars = [("A", day, 3.0, 3.2, 2.9, 3.0, 1e6) for day in days]
        listed = [("A", days[0], days[19], "common"), ("A", days[20], days[39], "common")]

        found = run(from_rows(bars=bars, securities=listed))

        assert found.variants[0].batches["universe_size"].to_list() == [1] * 40

    def test_counts_a_symbol_as_listed_for_five_sessions_without_a_bar(self):
        first = sessions.number(date(2022, 3, 1))
        days = [sessions.day(first + n) for n in range(40)]
        bars = [
            *[("A", day, 3.0, 3.2, 2.9, 3.0, 1e6) for day in days[:25]],
            *[("B", day, 3.0, 3.2, 2.9, 3.0, 1e6) for day in days],
        ]
        listed = [(symbol, days[0], days[39], "common") for symbol in "AB"]

        found = run(from_rows(bars=bars, securities=listed))

        size = found.variants[0].batches["universe_size"].to_list()
        assert size == [2] * 30 + [1] * 10
        after_bar = found.variants[0].batches["funnel"].list.get(2).to_list()
        assert after_bar[20:] == [2] * 5 + [1] * 15


class TestFingerprint:
    @pytest.mark.parametrize(
        ("table", "column"),
        [
            *[("bars", column) for column in ("open", "high", "low", "close", "volume")],
            ("splits", "ratio"),
            ("shares", "shares_outstanding"),
            ("shares", "public_float"),
            ("short_interest", "shares_short"),
            ("short_interest", "days_to_cover"),
            ("short_volume", "short_volume"),
            ("short_volume", "total_volume"),
            ("sentiment", "sentiment"),
        ],
    )
    @settings(max_examples=5, deadline=None)
    @given(markets(lengths=(28, 60)), st.data())
    def test_changes_with_any_value_that_was_read(self, table, column, market, data):
        session = market.sessions[-1]
        then = fingerprints(market, session)
        rows = self.usable(market.until(session), table)
        assume(rows.size)
        row = int(data.draw(st.sampled_from(rows.tolist())))

        other = market.until(session).changed(table, row, column, 0.123)

        assert all(a != b for a, b in zip(then, fingerprints(other, session), strict=True))

    def usable(self, market: Market, table: str) -> np.ndarray:
        """Positions of the rows of ``table`` that a scan of the last session reads."""
        frame = getattr(market, table).with_row_index("at")
        symbols = market.bars["symbol"].unique().implode()
        frame = frame.filter(pl.col("symbol").is_in(symbols))
        if table == "short_interest":  # what was published out of order is not read
            newest = pl.col("settlement_date").cum_max().over("symbol")
            day = pl.col("known_on") - pl.duration(microseconds=1)
            frame = frame.with_columns(
                day=day.dt.convert_time_zone("America/New_York").dt.date()
            ).sort("symbol", "day", "settlement_date")
            frame = frame.filter(pl.col("settlement_date") == newest)
        if table == "shares":
            frame = frame.filter(pl.col("effective_date") <= market.sessions[-1])
        return frame["at"].to_numpy()

    @pytest.mark.parametrize("column", ["first_session", "kind"])
    def test_changes_with_the_listing(self, column):
        market = make_market(seed=8, symbols=3, length=40)
        session = market.sessions[-1]
        then = fingerprints(market, session)
        kinds = market.securities["kind"].to_list()
        row = next(k for k, kind in enumerate(kinds) if kind in {"common", "adr"})
        listed = market.securities["first_session"][row]

        other = market.changed(
            "securities", row, column, "etf" if column == "kind" else listed - timedelta(days=9)
        )

        assert fingerprints(other, session) != then

    def test_changes_with_a_row_that_comes_or_goes(self):
        market = make_market(seed=9, symbols=4, length=50)
        session = market.sessions[-1]
        then = fingerprints(market, session)

        for row in (0, market.bars.height // 2):
            fewer = market.with_(
                "bars", market.bars.with_row_index("at").filter(pl.col("at") != row).drop("at")
            )
            assert fingerprints(fewer, session) != then

    def test_differs_between_sessions_variants_and_references(self):
        market = make_market(seed=9, symbols=4, length=50)
        found = run(market)
        every = pl.concat([variant.batches["fingerprint"] for variant in found.variants])
        bare = replay.run(
            market.panel(),
            variants=VARIANTS,
            references=[VIGL],
            first=market.sessions[0],
            last=market.sessions[-1],
        )
        every = pl.concat([every, *[variant.batches["fingerprint"] for variant in bare.variants]])

        assert every.n_unique() == len(every)

    def test_does_not_change_with_rows_of_later_sessions(self):
        market = make_market(seed=10, symbols=5, length=60)
        session = market.sessions[30]
        late = market.bars["session"] > session

        other = market.with_(
            "bars",
            market.bars.with_columns(
                close=pl.when(late).then(pl.col("close") * 2).otherwise("close")
            ),
        )

        assert fingerprints(other, session) == fingerprints(market, session)

    def test_does_not_change_with_rows_too_old_to_matter(self):
        market = make_market(seed=12, symbols=4, length=400)
        session = market.sessions[-1]
        oldest = sessions.offset(session, -300)
        old = pl.col("session") <= oldest

        other = market.with_(
            "bars",
            market.bars.with_columns(volume=pl.when(old).then(1.0).otherwise("volume")),
        )
        edge = market.with_(
            "bars",
            market.bars.with_columns(
                volume=pl.when(pl.col("session") == sessions.offset(oldest, 1))
                .then(1.0)
                .otherwise("volume")
            ),
        )

        assert fingerprints(other, session) == fingerprints(market, session)
        assert fingerprints(edge, session) != fingerprints(market, session)


class TestFirstSignal:
    def signals(self, spikes: list[int]) -> list[tuple[int, bool]]:
        """Return the candidates, as sessions from the first, of one stock with such spikes."""
        first = sessions.number(date(2022, 3, 1))
        days = [sessions.day(first + n) for n in range(70)]
        bars = [
            ("A", day, 3.0, 3.3, 2.9, 3.1, 9e6 if at in spikes else 1e6)
            for at, day in enumerate(days)
        ]
        market = from_rows(bars=bars, securities=[("A", days[0], days[-1], "common")])
        rules = replace(SQUEEZE, min_coverage=0.1)
        found = replay.run(
            market.panel(), variants=[rules], references=[], first=days[0], last=days[-1]
        )
        picks = found.variants[0].candidates
        return [
            (days.index(day), first)
            for day, first in picks.select("session", "first_signal").rows()
        ]

    def test_is_the_first_candidate_in_fourteen_sessions(self):
        assert self.signals([30, 44, 59]) == [(30, True), (44, False), (59, True)]


class TestHistory:
    @pytest.fixture
    def market(self):
        return make_market(seed=21, symbols=25, length=330, split=0.0)

    def test_counts_past_ranked_stock_days_of_252_sessions(self, market):
        found = run(market)

        for rules, variant in zip(VARIANTS, found.variants, strict=True):
            rows = found.pool.table.rows
            ranked = variant.code[rows] == layout.PASSED
            number = market.panel().session[rows]
            for got in variant.candidates[-40:].to_dicts():
                now = sessions.number(got["session"])
                past = ranked & (number < now) & (number >= now - 252)
                scores = variant.scores.score[past]
                assert got["history_n"] == scores.size
                enough = np.unique(number[past]).size >= candidates.FEWEST_HISTORY
                share = (scores >= got["score"]).mean() if enough else None
                assert got["history_share"] == (share and pytest.approx(share)), rules.name

    def test_names_its_labels_by_the_share_that_reached_the_score(self, market):
        picks = pl.concat([variant.candidates for variant in run(market).variants])

        assert set(picks["label"]) == {"", "top 1 %", "top 5 %", "top 20 %", "rest"}
        for share, label in picks.select("history_share", "label").rows():
            if share is None:
                assert label == ""
            else:
                limits = {"top 1 %": (-1, 0.01), "top 5 %": (0.01, 0.05)}
                limits |= {"top 20 %": (0.05, 0.2), "rest": (0.2, 1)}
                assert limits[label][0] < share <= limits[label][1]
