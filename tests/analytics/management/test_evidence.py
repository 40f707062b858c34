"""The commands of stage experiments: one service call, lines of answer."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from analytics.models import LookaheadCertificate
from analytics.services import certificates
from tests import evidence_rows
from tests.analytics.services.test_backtesting import DAYS, lake  # noqa: F401  # a fixture

pytestmark = pytest.mark.django_db


def run(command, *arguments):
    said = StringIO()
    call_command(command, *arguments, stdout=said)
    return said.getvalue()


@pytest.mark.usefixtures("lake")
class TestBacktest:
    def test_says_what_came_of_each_variant(self):
        said = run("backtest", "--source=imported", f"--from={DAYS[30]}", f"--to={DAYS[60]}")

        assert "Source: imported." in said
        assert "A v1:" in said
        assert "B v1:" in said

    def test_gives_everything_as_json(self):
        said = run(
            "backtest", "--source=imported", "--variant=B", f"--from={DAYS[30]}",
            f"--to={DAYS[60]}", "--hold=5", "--json",
        )  # fmt: skip

        assert list(json.loads(said)["result"]) == ["B v1"]

    def test_says_what_it_cannot_do(self):
        with pytest.raises(CommandError, match="variant"):
            run("backtest", "--source=imported", "--variant=Z")


class TestCertifyLookahead:
    @pytest.mark.usefixtures("lake")
    def test_says_how_many_leaks_were_caught(self):
        said = run("certify_lookahead", "--source=imported", "--stock-days=60")

        assert "Differences: 0." in said
        assert "Planted leaks caught: 8 of 8." in said
        assert said.endswith("PASSED\n")

    def test_fails_loudly(self, monkeypatch):
        def refuse(**_given):
            return evidence_rows.make_certificate(
                differences=1, passed=False, examples=["2022-01-03 A score"], seconds=1.0
            )

        monkeypatch.setattr(certificates, "record_certificate", refuse)

        with pytest.raises(CommandError, match="refused"):
            run("certify_lookahead", "--source=imported")
        assert not LookaheadCertificate.objects.get().passed
