"""How imports are shown in a terminal: progress on stderr, a table and the findings on stdout."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.core.management.base import CommandError, OutputWrapper

from analytics.clients.files import WrongShape
from analytics.services.market_data import ImportSummary

COUNTS: Final = ("rows", "symbols", "sessions", "new", "changed", "unchanged", "rejected")


class Tally:
    """Shows one import after the other and remembers what went wrong.

    Args:
        out: Where tables go.
        err: Where progress and refusals go.
    """

    def __init__(self, out: OutputWrapper, err: OutputWrapper) -> None:
        self._out = out
        self._err = err
        self._refused: list[str] = []
        self._findings: Counter[str] = Counter()
        self._out.write("".join(f"{title:>12}" for title in COUNTS) + "  path")

    def progress(self, name: str, done: int, total: int) -> None:
        """Show how far an import is; rewrites its line on a terminal, else says nothing."""
        if self._err.isatty():
            share = done / total if total else 1
            bar = "#" * round(share * 30)
            self._err.write(f"\r{bar:<30} {share:4.0%} {name[:40]:<40}", ending="")
            self._err.flush()

    def run(self, path: Path, read: Callable[[], ImportSummary]) -> None:
        """Run one import and show its line."""
        try:
            summary = read()
        except WrongShape as refusal:
            self._refuse(str(refusal))
            return
        if self._err.isatty():
            self._err.write("\r" + " " * 80 + "\r", ending="")
        counts = "".join(f"{getattr(summary, name):>12,}" for name in COUNTS)
        kept = len(summary.skipped)
        note = f" ({kept} of {summary.files} files already in)" if kept else ""
        self._out.write(f"{counts}  {path}{note}")
        self._findings.update(summary.findings)
        for sentence in summary.refused:
            self._refuse(sentence)

    def finish(self) -> None:
        """Show new findings by gate.

        Raises:
            CommandError: A file was refused.
        """
        for gate, count in self._findings.most_common():
            self._out.write(f"{count:>12,}  {gate}")
        if self._refused:
            raise CommandError(f"{len(self._refused)} refused: {self._refused[0]}")

    def _refuse(self, sentence: str) -> None:
        self._refused.append(sentence)
        self._err.write(f"Refused: {sentence}")
