from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from analytics.calc import evidence
from performance.services import replays
from tests.factories import SESSION

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")


def figure(value):
    return evidence.measured(
        value=value, n=20, source="imported", as_of=SESSION, method="t", bounds=(0.1, 0.4)
    )


def view():
    return replays.View(accuracy=figure(0.6), brier_explosive=figure(0.2), brier_target=figure(0.3))


class TestReplayTheses:
    def test_prints_both_ways_and_the_lift(self, monkeypatch):
        found = replays.Replay(
            asked=22, compared=20, after_cutoff=4, cutoff=SESSION, plain=view(), masked=view(),
            memory_lift=figure(0.25), memory_lift_brier=figure(0.15), skill=view(),
            failed={"refusal": 2}, cost_usd=0.1234,
        )  # fmt: skip
        monkeypatch.setattr(replays, "replay", lambda **asked: found)
        said = StringIO()

        call_command("replay_theses", "--masked", "--source", "imported", stdout=said)

        text = said.getvalue()
        assert "20 of 22 cases compared, $0.1234" in text
        assert "memory lift, accuracy: 25.0" in text
        assert f"cut-off {SESSION}: 16 cases up to it never count as skill, 4 after it may" in text
        assert "not answered: 2 refusal" in text

    def test_says_when_there_is_nothing_to_replay(self):
        with pytest.raises(CommandError, match="has settled yet"):
            call_command("replay_theses", "--masked", "--source", "imported")

    def test_must_be_told_to_mask(self):
        with pytest.raises(CommandError, match="--masked"):
            call_command("replay_theses")
