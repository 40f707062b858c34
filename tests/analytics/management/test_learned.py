from datetime import date

import pytest
from django.core.management import CommandError, call_command

from analytics.management.commands import report_learned
from analytics.models import ResearchSheet
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def imported(monkeypatch):
    monkeypatch.setattr(report_learned.lakes, "get_active_source", lambda: "imported")


def sheet(subject, result):
    return ResearchSheet.objects.create(
        subject=subject,
        last=date(2022, 12, 30),
        result=result,
        arithmetic=1,
        lake_versions={"bars": 3},
        code_revision="r",
        seconds=1.0,
        created_at=NOW,
        source="imported",
    )


class TestReport:
    def test_without_a_sheet_it_says_what_to_run(self):
        with pytest.raises(CommandError, match="try_designs"):
            call_command("report_learned")

    def test_writes_designs_and_deciles(self, tmp_path, capsys):
        rate = {"n": 1234, "precision": 0.125, "low": 0.1, "high": 0.15, "base": 0.033}
        rate |= {"mean_return": -0.021}
        designs = {"logistic": {"fits": 9, "periods": {"2022": rate, "all": rate}}}
        luck = {"status": "ok", "value": 0.25, "trials": 19}
        sheet("designs", {"chosen": "logistic", "designs": designs, "overfitting": luck})
        tenth = {"above": 0.0, "n": 10, "rate": 0.044, "low": None, "high": None}
        known = {"feature": "ret_1", "period": "all", "n": 4321, "unknown": 0.1}
        sheet("features", {"ret_1": [{**known, "deciles": [tenth] * 10, "reason": ""}]})

        call_command("report_learned", output=tmp_path / "page.md")

        text = (tmp_path / "page.md").read_text()
        assert "| logistic | 9 | 12.5 % [10.0 %, 15.0 %], n 1,234 |" in text
        assert "25.0 % (19 designs)" in text
        assert "| ret_1 | all | 4,321 | 10.0 % | 4.4 % | 4.4 % |" in text
        assert "Nothing that settled after 2022-12-30 was looked at" in text


class TestFit:
    def test_without_a_learned_variant_it_says_so(self):
        with pytest.raises(CommandError, match="no active learned variant"):
            call_command("fit_learned", source="imported")
