from datetime import timedelta

import pytest

from analytics.services import slow_queries
from tests.factories import NOW


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


class TestSlowQueries:
    def test_are_read_back_without_values(self):
        slow_queries.note(at=NOW, seconds=2.0, statement="SELECT *\n FROM x WHERE y = %s")

        (query,) = slow_queries.get_recent(since=NOW)

        assert (query.seconds, query.statement) == (2.0, "SELECT * FROM x WHERE y = %s")

    def test_leave_out_what_is_older_and_lines_that_are_damaged(self, tmp_path):
        slow_queries.note(at=NOW - timedelta(days=2), seconds=2.0, statement="old")
        with (tmp_path / slow_queries.NAME).open("a") as file:
            file.write('{"at": "20\n')
        slow_queries.note(at=NOW, seconds=3.0, statement="new")

        found = slow_queries.get_recent(since=NOW - timedelta(days=1))

        assert [query.statement for query in found] == ["new"]

    def test_start_a_new_file_when_it_is_full(self, tmp_path):
        (tmp_path / slow_queries.NAME).write_text("x" * (slow_queries.FULL + 1))

        slow_queries.note(at=NOW, seconds=2.0, statement="new")

        assert len(slow_queries.get_recent(since=NOW)) == 1
        assert (tmp_path / slow_queries.NAME).stat().st_size < 1000
