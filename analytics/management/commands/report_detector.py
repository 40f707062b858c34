"""Measure the detector's variants and exit rules over all history, and write it up as Markdown."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.calc import detector_report_tables, detector_report_words
from analytics.calc.detector_report_tables import Table
from analytics.models import DetectorReport, Source
from analytics.services import detector_report, lakes

HEAD = """\
# What the detector's variants are worth

Made by `AMC_DATA_DIR=... manage.py report_detector --output docs/detector-report.md`; no figure and
no sentence below is typed in by hand. C stands in it once its models are stored (the job "Fit of
the learned variant"). Definitions: [domain](design/domain.md) §8, §13, §16, §17. In brackets the
95 % interval over sessions that move together; n counts stock-days, trades or episodes.
"""


class Command(BaseCommand):
    help = "Replay every list under every exit rule, store the report, print it as Markdown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", choices=[Source.IMPORTED, Source.LIVE, Source.SIMULATED])
        parser.add_argument("--output", type=Path, help="write it into this file instead")
        parser.add_argument(
            "--stored", action="store_true", help="print the newest report; measure nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["source"] or lakes.get_active_source()
        report = self._stored(source) if options["stored"] else self._fresh(source)
        text = "\n".join(_lines(report))
        if options["output"] is None:
            self.stdout.write(text)
            return
        options["output"].write_text(text)
        self.stdout.write(f"{report}: {report.seconds:.0f} s, written to {options['output']}")

    def _fresh(self, source: str) -> DetectorReport:
        def said(current: int, total: int, message: str) -> None:
            self.stderr.write(f"{message} {current}/{total}")

        return detector_report.record_report(source=source, clock=timezone.now, on_progress=said)

    def _stored(self, source: str) -> DetectorReport:
        found = detector_report.get_latest(source=source, now=timezone.now())
        if found is None:
            raise CommandError(f"no {source} report is stored; leave out --stored to make one")
        return found.report


def _lines(report: DetectorReport) -> list[str]:
    result = report.result
    label = " **SIMULATED, not a market.**" if report.source == Source.SIMULATED else ""
    told = ", ".join(f"{name} {full}" for name, full in report.parameters["variants"].items())
    about = (
        f"Source: {report.source}.{label} Sessions {report.first} to {report.last}. "
        f"Variants: {told}. Digest {report.digest}, code {report.code_revision}."
    )
    lines = [
        HEAD,
        about,
        "",
        "## The plain statement",
        "",
    ]
    lines += [f"- {sentence}" for sentence in detector_report_words.sentences(result)]
    for table in detector_report_tables.tables(result):
        lines += _table(table)
    return [*lines, ""]


def _table(table: Table) -> list[str]:
    head = [f"| {' | '.join(table.columns)} |", "|" + "---|" * len(table.columns)]
    rows = [f"| {' | '.join(row)} |" for row in table.rows]
    return ["", f"## {table.title}", "", table.about, "", *head, *rows]
