from io import StringIO

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command("report_performance", "--source", "simulated", *arguments, stdout=out)
    return out.getvalue()


class TestReportPerformance:
    def test_prints_markdown(self):
        assert "# SIMULATED Comprehensive performance report" in run()

    @pytest.mark.parametrize(("ending", "start"), [("md", b"# SIMULATED"), ("pdf", b"%PDF-")])
    def test_writes_a_file(self, tmp_path, ending, start):
        target = tmp_path / f"report.{ending}"

        assert "12 sections" in run("--to", str(target))
        assert target.read_bytes().startswith(start)

    @pytest.mark.parametrize("arguments", [("--to", "x.doc"), ("--period-days", "0")])
    def test_refuses_what_it_cannot_write(self, arguments):
        with pytest.raises(CommandError):
            run(*arguments)
