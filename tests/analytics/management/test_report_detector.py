import pytest
from django.core.management import CommandError, call_command

from analytics.models import DetectorReport
from analytics.services import detector_report
from tests import detector_reports

pytestmark = pytest.mark.django_db


class TestReportDetector:
    def test_prints_the_stored_report(self, capsys):
        detector_reports.make_report()

        call_command("report_detector", source="imported", stored=True)

        said = capsys.readouterr().out
        assert said.startswith("# What the detector's variants are worth")
        assert "- Variant C: no out-of-sample model." in said
        assert "## Recall: how much of what rose was listed" in said
        assert "SIMULATED" not in said

    def test_labels_the_sample_market(self, capsys):
        detector_reports.make_report(source="simulated")

        call_command("report_detector", source="simulated", stored=True)

        assert "SIMULATED, not a market" in capsys.readouterr().out

    def test_refuses_where_nothing_is_stored(self):
        with pytest.raises(CommandError, match="no imported report is stored"):
            call_command("report_detector", source="imported", stored=True)

    def test_measures_and_writes_the_file(self, tmp_path, monkeypatch, capsys):
        def measured(*, source, clock, on_progress):
            on_progress(0, 2, "replaying exits")
            return detector_reports.make_report(source=source, finished_at=clock())

        monkeypatch.setattr(detector_report, "record_report", measured)
        wanted = tmp_path / "report.md"

        call_command("report_detector", source="imported", output=wanted)

        assert wanted.read_text().startswith("# What the detector's variants are worth")
        assert DetectorReport.objects.count() == 1
        assert "written to" in capsys.readouterr().out
