"""Record what the quality gates found: named, counted, never mended in silence (design §3)."""

from datetime import date
from typing import Final

import polars as pl
from django.db import transaction

from analytics.calc import quality
from analytics.models import DataFinding, ImportRun
from analytics.services import lakes

MOST_PER_GATE: Final = 1000  # faulty lines named one by one, per gate and file
CHUNK: Final = 1000  # rows or symbols per statement


def record_faults(*, run: ImportRun, faults: pl.DataFrame) -> None:
    """Store a finding per line kept out, and one for the rest where there are very many.

    Safe to run again: findings of an earlier try of the same ``run`` are replaced.

    Args:
        run: The import; its ``rejected`` is set.
        faults: ``gate``, ``severity``, ``symbol``, ``session``, ``line``, ``detail``.
    """
    run.findings.filter(kept_out=True).delete()
    run.rejected = faults.height
    found = []
    for gate in faults["gate"].unique(maintain_order=True):
        group = faults.filter(pl.col("gate") == gate)
        for row in group.head(MOST_PER_GATE).iter_rows(named=True):
            row["symbol"], row["detail"] = (row["symbol"] or "")[:16], row["detail"][:300]
            found.append(DataFinding(run=run, kept_out=True, source=run.source, **row))
        rest = group.height - MOST_PER_GATE
        if rest > 0:
            found.append(
                DataFinding(
                    run=run,
                    gate=gate,
                    severity=DataFinding.Severity.ERROR,
                    kept_out=True,
                    detail=f"and {rest} more lines, the last of them {group['line'][-1]}",
                    source=run.source,
                )
            )
    DataFinding.objects.bulk_create(found, batch_size=CHUNK)


def record_repeats(*, run: ImportRun, repeats: pl.DataFrame) -> None:
    """Store a finding per session on which the feed repeated the one before. Safe to rerun.

    Args:
        run: The import.
        repeats: Rows of :func:`analytics.calc.quality.repeated_sessions`.
    """
    run.findings.filter(gate="repeated_session").delete()
    DataFinding.objects.bulk_create(
        DataFinding(run=run, source=run.source, **row) for row in repeats.iter_rows(named=True)
    )


def replace_standing(
    *, found: pl.DataFrame, symbols: list[str], source: str, run: ImportRun | None
) -> None:
    """Make the series findings of ``symbols`` equal to ``found``; what still holds stays.

    Args:
        found: Rows as from :func:`analytics.calc.quality.series_findings`.
        symbols: Whose findings these are; the empty symbol stands for the feed.
        source: Source of the bars.
        run: The import under which new findings are filed.
    """
    standing: dict[tuple[str, str, date | None, str], int] = {}
    beside = DataFinding.objects.filter(
        source__in=lakes.sources_beside(source), gate__in=quality.SERIES_GATES, line__isnull=True
    )
    for at in range(0, len(symbols), CHUNK):
        for row in beside.filter(symbol__in=symbols[at : at + CHUNK]):
            standing[row.gate, row.symbol, row.session, row.detail] = row.pk
    wanted = {
        (row["gate"], row["symbol"], row["session"], row["detail"]): row["severity"]
        for row in found.iter_rows(named=True)
    }
    gone = [pk for key, pk in standing.items() if key not in wanted]
    new = [
        DataFinding(
            run=run,
            gate=key[0],
            symbol=key[1],
            session=key[2],
            detail=key[3],
            severity=severity,
            source=source,
        )
        for key, severity in wanted.items()
        if key not in standing
    ]
    with transaction.atomic():
        for at in range(0, len(gone), CHUNK):
            DataFinding.objects.filter(pk__in=gone[at : at + CHUNK]).delete()
        DataFinding.objects.bulk_create(new, batch_size=CHUNK)
