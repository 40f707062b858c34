"""The screener as a page: its address is its state."""

import csv
import io
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories

LAST = date(2024, 6, 28)


@pytest.fixture
def batch(db):
    found = factories.make_batch(session=LAST)
    for rank in range(1, 61):
        factories.make_candidate(batch=found, symbol=f"S{rank:02d}", rank=rank, score=100 - rank)
    return found


def csv_of(answer):
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


@pytest.mark.usefixtures("batch")
class TestCandidates:
    def test_answers_htmx_with_the_table_and_others_with_the_page(self, staff):
        page = staff.get("/candidates")
        piece = staff.get("/candidates", headers={"HX-Request": "true"})

        assert b"<html" in page.content
        assert piece.content.decode().lstrip().startswith('<div id="screener-table"')
        assert "HX-Request" in page["Vary"]
        assert "HX-Request" in piece["Vary"]

    def test_answers_with_the_page_when_history_is_restored(self, staff):
        headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}

        assert b"<html" in staff.get("/candidates", headers=headers).content

    def test_marks_the_sorted_column_and_offers_the_other_way(self, staff):
        said = staff.get("/candidates?sort=-score").content.decode()

        assert 'aria-sort="descending"' in said
        assert 'href="?sort=score"' in said

    def test_turns_pages_within_the_filters(self, staff):
        answer = staff.get("/candidates?min_score=45&page=2")

        assert answer.context["found"].total == 55
        assert answer.context["found"].rows[0].symbol == "S51"
        assert answer.context["previous_url"] == "?min_score=45&page=1"

    @pytest.mark.parametrize(
        "query", ["min_score=lots", "page=x", "flag=nonsense", "pattern=<b>", "min_score=900"]
    )
    def test_says_so_where_a_filter_makes_no_sense(self, staff, query):
        answer = staff.get(f"/candidates?{query}")

        assert answer.status_code == 200
        assert answer.context["found"].total == 60
        assert b"It filters nothing." in answer.content

    def test_reads_no_more_with_more_rows(self, staff):
        def asked():
            with CaptureQueriesContext(connection) as queries:
                staff.get("/candidates")
            return len(queries)

        few = asked()
        for day in range(1, 28):
            factories.make_candidate(symbol="MORE", session=date(2024, 6, day))

        assert asked() == few

    def test_gives_every_heading_a_scope(self, staff):
        said = staff.get("/candidates").content.decode()
        table = said[said.index("<table") : said.index("</table>")]

        assert table.count("<th ") == table.count("<th scope=")
        assert "<caption" in table

    def test_escapes_what_was_typed(self, staff):
        said = staff.get('/candidates?symbol="><script>alert(1)</script>').content.decode()

        assert "<script>alert" not in said


@pytest.mark.usefixtures("batch")
class TestCandidatesCsv:
    def test_streams_exactly_what_is_filtered(self, staff):
        answer = staff.get("/candidates.csv?min_score=45&sort=score")

        header, *rows = csv_of(answer)
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert len(rows) == 55
        assert rows[0][header.index("symbol")] == "S55"

    def test_names_the_file_after_range_and_source(self, staff):
        answer = staff.get("/candidates.csv?range=30")

        assert 'filename="candidates_30_imported_' in answer["Content-Disposition"]
