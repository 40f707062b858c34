import pytest
from django.db import connection

from amc_trader.slow_queries import watch
from analytics.services import slow_queries


@pytest.mark.django_db
class TestWatch:
    def test_is_on_every_connection(self):
        connection.ensure_connection()

        assert watch in connection.execute_wrappers

    def test_notes_what_is_slow_and_nothing_else(self, settings, tmp_path, monkeypatch):
        settings.VAR_DIR = tmp_path
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert not (tmp_path / slow_queries.NAME).exists()

            monkeypatch.setattr(slow_queries, "SLOW_S", 0.0)
            cursor.execute("SELECT 1")

        assert "SELECT 1" in (tmp_path / slow_queries.NAME).read_text()
