"""Way in: the evidence sheets and the designs tried, as a page of Markdown."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.calc import figures
from analytics.models import ResearchSheet
from analytics.services import feature_evidence, lakes


class Command(BaseCommand):
    help = "Write what the learned variant's choices were made on, from the newest stored sheets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, help="a file; else the terminal")

    def handle(self, *args: Any, **options: Any) -> None:
        source = str(lakes.get_active_source())
        sheets = {
            subject: feature_evidence.get_newest(subject=subject, source=source)
            for subject in ResearchSheet.Subject.values
        }
        if not any(sheets.values()):
            raise CommandError(
                "No sheet is stored: run the jobs feature_evidence and try_designs first."
            )
        lines = ["# What the learned variant's choices were made on", ""]
        lines += [
            "Made by `manage.py report_learned` from stored sheets; not typed in by hand.",
            "",
        ]
        designs, features = sheets["designs"], sheets["features"]
        lines += _designs(designs) if designs else []
        lines += _features(features) if features else []
        text = "\n".join(lines) + "\n"
        if options["output"]:
            options["output"].write_text(text)
            self.stdout.write(f"Written: {options['output']}")
        else:
            self.stdout.write(text)


def _head(sheet: ResearchSheet) -> str:
    versions = ", ".join(f"{name} {at}" for name, at in sorted(sheet.lake_versions.items()))
    return (
        f"Source: {sheet.source}. Nothing that settled after {sheet.last} was looked at. "
        f"Code {sheet.code_revision}, lake {versions}."
    )


def _bounds(low: float | None, high: float | None) -> str:
    return "" if low is None else f" [{figures.percent(low)}, {figures.percent(high)}]"


def _rate(told: dict[str, Any]) -> str:
    bounds = _bounds(told["low"], told["high"])
    return f"{figures.percent(told['precision'])}{bounds}, n {told['n']:,}"


def _designs(sheet: ResearchSheet) -> list[str]:
    told = sheet.result["designs"]
    periods = list(dict.fromkeys(name for one in told.values() for name in one["periods"]))
    luck = sheet.result["overfitting"]
    found = luck.get("reason") or f"{figures.percent(luck['value'])} ({luck['trials']} designs)"
    lines = [
        "## Designs tried",
        "",
        _head(sheet),
        "",
        "Explosive among the first ten of a session, out of sample, a fit each half year; in the",
        "last column the mean return of 14 sessions before costs.",
        f"Chosen: {sheet.result['chosen']}.",
        f'Probability of overfitting of "take the highest mean net return": {found}.',
        "",
        "| design | fits | " + " | ".join(periods) + " | mean return |",
        "|---" * (len(periods) + 3) + "|",
    ]
    for name, one in told.items():
        rates = [one["periods"].get(period, {"n": 0}) for period in periods]
        cells = [_rate(rate) if rate["n"] else figures.MISSING for rate in rates]
        mean = figures.change(one["periods"]["all"]["mean_return"])
        lines.append(f"| {name} | {one['fits']} | {' | '.join(cells)} | {mean} |")
    base = next(iter(told.values()))["periods"]
    rates = [figures.percent(base[period]["base"]) if period in base else "" for period in periods]
    lines += [f"| base rate | | {' | '.join(rates)} | |", ""]
    return lines


def _features(sheet: ResearchSheet) -> list[str]:
    lines = [
        "## Evidence by feature",
        "",
        _head(sheet),
        "",
        "Rate of explosive by decile of the feature, lowest values first, deciles drawn within the",
        "year; in brackets the interval, which counts sessions. Under 60 sessions there is none.",
        "",
        "| feature | period | n | unknown | " + " | ".join(map(str, range(1, 11))) + " |",
        "|---" * 14 + "|",
    ]
    for name, sheets in sheet.result.items():
        for one in sheets:
            cells = [
                f"{figures.percent(tenth['rate'])}{_bounds(tenth['low'], tenth['high'])}"
                for tenth in one["deciles"]
            ] or [f"insufficient data: {one['reason']}", *[""] * 9]
            unknown = figures.percent(one["unknown"])
            lines.append(
                f"| {name} | {one['period']} | {one['n']:,} | {unknown} | {' | '.join(cells)} |"
            )
    return [*lines, ""]
