"""The page of one symbol."""

import json
import re

import pytest

from analytics.services import discovery
from tests import factories, small_market


@pytest.fixture(autouse=True)
def vigl(db, settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    return small_market.store(tmp_path)


def chart_of(answer):
    said = answer.content.decode()
    return json.loads(
        re.search(r'symbol-chart-data"[^>]*>(.*?)</script>', said, re.DOTALL).group(1)
    )


class TestSymbol:
    def test_carries_the_chart_as_data_and_the_same_numbers_as_a_table(self, staff):
        answer = staff.get("/symbols/VIGL?range=7")

        assert chart_of(answer)["days"][-1] == "2024-06-28"
        assert len(answer.context["newest_bars"]) == len(chart_of(answer)["days"]) == 5

    def test_states_raw_or_adjusted(self, staff):
        adjusted = staff.get("/symbols/VIGL?range=30")
        raw = staff.get("/symbols/VIGL?range=30&prices=raw")

        assert b"adjusted for 1 split in the range" in adjusted.content
        assert chart_of(adjusted)["candles"][0][1] == pytest.approx(3.0)
        assert b"raw as traded, not adjusted" in raw.content
        assert chart_of(raw)["candles"][0][1] == 0.3

    def test_links_the_same_company_under_another_ticker(self, staff, vigl):
        vigl.figi = "BBG001SQCQC5"
        vigl.save()
        factories.make_security(symbol="OLDV", figi=vigl.figi, source="imported")

        said = staff.get("/symbols/VIGL").content.decode()

        assert "The same share class under other tickers" in said
        assert '<a href="/symbols/OLDV">OLDV</a>' in said
        assert "under other tickers" not in staff.get("/symbols/NOPE").content.decode()

    def test_leads_lower_case_to_upper_case(self, staff):
        assert staff.get("/symbols/vigl").url == "/symbols/VIGL"

    def test_says_why_there_is_nothing(self, staff):
        answer = staff.get("/symbols/NOPE")

        assert answer.status_code == 200
        assert b"There are no imported bars of NOPE." in answer.content

    def test_says_when_a_range_has_no_bars(self, staff):
        answer = staff.get("/symbols/VIGL?from=2020-01-02&to=2020-02-03")

        assert b"No bars from 2020-01-02 to 2020-02-03" in answer.content

    def test_shows_anatomy_and_outcome_of_a_signal(self, staff):
        candidate = factories.make_candidate(session=small_market.LAST, coverage=0.7)
        factories.make_tracking(candidate=candidate, status="no_entry", reason="no bar",
            entry_session=None, entry_price=None, return_1=None, return_14=None, mfe=None,
            mae=None, peak_close_return=None, sessions_to_peak=None, explosive=None,
            explosive_high=None, explosive_held=None, outcome="")  # fmt: skip

        said = staff.get("/symbols/VIGL").content.decode()

        assert "momentum" in said
        assert "unknown for this symbol" in said
        assert "no entry" in said

    def test_finds_what_was_typed(self, staff):
        assert staff.get("/symbols?symbol=+vigl+").url == "/symbols/VIGL"
        assert staff.get("/symbols?symbol=").url == "/"


class TestExplanation:
    def test_tells_the_reason_in_place(self, staff, monkeypatch):
        def refuse(**_asked):
            raise discovery.NoBars("VIGL has no bar on 2024-06-30")

        monkeypatch.setattr(discovery, "get_explanation", refuse)

        answer = staff.get("/symbols/VIGL/explanation/2024-06-30")

        assert answer.status_code == 200
        assert b"VIGL has no bar on 2024-06-30" in answer.content

    def test_names_every_gate_of_a_variant(self, staff):
        factories.make_variant()

        answer = staff.get("/symbols/VIGL/explanation/2024-06-28")

        assert b"price band" in answer.content
        assert b"stopped by" in answer.content

    def test_is_not_found_for_what_is_no_date(self, staff):
        assert staff.get("/symbols/VIGL/explanation/soon").status_code == 404
