"""The filtered list as CSV, streamed: a quarter of a million rows never stand in memory."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CHUNK = 2000  # rows fetched at a time


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def safe(value: Any) -> Any:
    """Return a value that no spreadsheet takes for a formula.

    Text that starts like a formula gets an apostrophe before it; numbers stay numbers.

    Source: OWASP, "CSV Injection".
    """
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def lines(rows: Iterable[Sequence[Any]], header: Sequence[str]) -> Iterator[str]:
    """Yield CSV lines, the header first."""
    writer = csv.writer(_Echo())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe(value) for value in row])


def stream(queryset: QuerySet[Any], fields: Sequence[str], name: str) -> StreamingHttpResponse:
    """Answer with ``fields`` of every row of ``queryset``, in its order.

    Returns are fractions and prices dollars, as stored: a file is for machines too.
    """
    rows = queryset.select_related(None).values_list(*fields).iterator(chunk_size=CHUNK)
    response = StreamingHttpResponse(lines(rows, fields), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
