"""What `make setup` does about market data: load, discover, settle; twice is once."""

from datetime import date
from io import StringIO

import pytest

from analytics.services import lakes
from performance.management.commands import prepare_market
from tests.factories import make_batch, make_variant

SESSIONS = [date(2024, 6, 27), date(2024, 6, 28)]


class FakeLake:
    def __init__(self, sessions):
        self._sessions = sessions

    def sessions(self):
        return self._sessions

    def versions(self):
        return {"bars": 3}


@pytest.fixture
def called(monkeypatch):
    """The commands that were run, in order."""
    names = []

    def remember(name, *arguments, **_options):
        names.append((name, *arguments))

    monkeypatch.setattr(prepare_market, "call_command", remember)
    return names


@pytest.fixture
def lake(monkeypatch):
    def set_to(source, sessions=SESSIONS):
        monkeypatch.setattr(lakes, "get_active_source", lambda: source)
        monkeypatch.setattr(lakes, "lake_of", lambda _source: FakeLake(sessions))

    return set_to


def load():
    command = prepare_market.Command(stdout=StringIO())
    command.handle()
    return command.stdout.getvalue()


@pytest.mark.django_db
class TestPrepareMarket:
    def test_makes_the_sample_market_where_there_is_no_data(self, called, lake):
        make_variant()
        lake("simulated")

        load()

        assert called == [
            ("load_sample_market",),
            ("discover", "--all"),
            ("settle_outcomes",),
            ("write_theses",),
            ("rebuild_portfolio",),
        ]

    def test_leaves_the_sample_out_beside_real_data(self, called, lake):
        make_variant()
        lake("imported")

        load()

        assert called[0] == ("discover", "--all")

    def test_imports_the_folder_that_is_given(self, called, lake, tmp_path, settings):
        settings.AMC_DATA_DIR = str(tmp_path)
        lake("imported")

        load()

        assert called[0] == ("import_market_data",)

    def test_does_not_replay_what_was_replayed(self, called, lake):
        lake("imported")
        for session in SESSIONS:
            make_batch(session=session, lake_versions={"bars": 3})

        told = load()

        assert called == [("settle_outcomes",), ("write_theses",), ("rebuild_portfolio",)]
        assert "kept" in told

    @pytest.mark.parametrize(
        "batches",
        [
            [(SESSIONS[1], {"bars": 3})],  # a session is missing
            [(SESSIONS[0], {"bars": 3})],  # the newest one is
            [(SESSIONS[0], {"bars": 2}), (SESSIONS[1], {"bars": 2})],  # the lake has moved
        ],
    )
    def test_replays_where_there_is_doubt(self, batches, called, lake):
        lake("imported")
        for session, versions in batches:
            make_batch(session=session, lake_versions=versions)

        load()

        assert ("discover", "--all") in called

    def test_says_so_where_there_is_nothing(self, called, lake, tmp_path, settings):
        settings.AMC_DATA_DIR = str(tmp_path)
        lake("simulated", sessions=[])

        assert "none" in load()
        assert called == [("import_market_data",)]
