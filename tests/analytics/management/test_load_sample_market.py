from io import StringIO

import pytest
from django.core.management import CommandError, call_command

ARGUMENTS = ["--symbols", "30", "--years", "1", "--end", "2024-06-28"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")


def run(*arguments: str) -> str:
    answer = StringIO()
    call_command("load_sample_market", *arguments, stdout=answer)
    return answer.getvalue()


class TestLoadSampleMarket:
    def test_says_what_it_stored_and_that_it_is_simulated(self):
        answer = run(*ARGUMENTS)

        assert answer.startswith("SIMULATED market stored: ")
        assert "29 symbols, 251 sessions from 2023-06-30 to 2024-06-28." in answer

    def test_says_that_it_kept_what_was_there(self):
        run(*ARGUMENTS)

        assert run().startswith("SIMULATED market kept as it was: ")

    def test_refuses_what_cannot_be_drawn_in_one_sentence(self):
        with pytest.raises(CommandError, match="listings must be"):
            run("--symbols", "3")
