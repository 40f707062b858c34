"""A digest of exactly the rows that a scan of a session reads (design §7).

Two scans with one fingerprint read the same rows under the same rules, whatever else the
lake holds: rows of later sessions, or too old to matter, do not enter.
"""

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import blake2b
from json import dumps

import numpy as np
import numpy.typing as npt

from analytics.calc import panel as panels
from analytics.calc.detector import Rules
from analytics.calc.kernels import layout, learned_layout
from analytics.calc.panel import Floats, Ints, Longs, Panel
from analytics.calc.similarity import Reference

Words = npt.NDArray[np.uint64]
Spans = tuple[Longs, Ints, Ints]

LOOKBACK = 300  # sessions of bars that a scan reads, its own included
RECORD_LOOKBACK = 340  # sessions since settlement within which a record can matter
FOREVER = 1_000_000


def row_digests(panel: Panel, *, base: int, count: int) -> Words:
    """Return the digest of the rows read by each of ``count`` sessions from number ``base``.

    Returns:
        uint64 [count, 2].
    """
    owner = np.array([_word(symbol) for symbol in panel.symbols], dtype=np.uint64)
    out = _bar_digests(panel, owner, base, count)
    spans = _spans(panel, panel.symbol_start)
    holder = np.repeat(np.arange(owner.size), np.diff(panel.split_start))
    forever = np.full(holder.size, FOREVER, np.int32)
    columns = [_number(panel.split_session), _raw(panel.split_ratio)]
    _add(holder, owner, columns, (panel.split_session, forever), spans, base, out)
    _add_listings(panel, owner, base, out)
    for table, life in (
        (panel.shares, FOREVER),
        (panel.short_interest, RECORD_LOOKBACK),
        (panel.short_volume, RECORD_LOOKBACK),
        (panel.sentiment, RECORD_LOOKBACK),
        (panel.fails, RECORD_LOOKBACK),
    ):
        holder = np.repeat(np.arange(owner.size), np.diff(table.start))
        until = np.minimum(table.about.astype(np.int64) + life, FOREVER).astype(np.int32)
        columns = [_number(table.known), _number(table.day), *map(_raw, table.values.values())]
        _add(holder, owner, columns, (table.known, until), spans, base, out)
    return np.cumsum(out, axis=0, dtype=np.uint64)[:-1]


def _bar_digests(panel: Panel, owner: Words, base: int, count: int) -> Words:
    """Return what each session's reading of bars adds to that of the session before."""
    from analytics.calc.kernels import digests

    parts: list[Words] = []

    def digest(first: int, last: int) -> None:
        part = np.zeros((count, 2), np.uint64)
        digests.digest_bars(
            first, last, panel.symbol_start, owner, panel.session, _raw(panel.open),
            _raw(panel.high), _raw(panel.low), _raw(panel.close), _raw(panel.volume), base, part,
        )  # fmt: skip
        parts.append(part)

    panels.in_threads(digest, panel.symbol_start)
    out = np.zeros((count + 1, 2), np.uint64)
    out[:count] = np.add.reduce(parts, axis=0)  # modulo 2**64, so in any order
    out[LOOKBACK:] -= out[: max(count + 1 - LOOKBACK, 0)].copy()
    return out


def of(
    digests: Words,
    numbers: Ints,
    rules: Rules,
    references: Sequence[Reference],
    models: Sequence[Sequence[str]] | None = None,
) -> list[str]:
    """Return the fingerprint of each session's scan as 32 hexadecimal digits.

    Args:
        digests: The rows read by each session, from :func:`row_digests`.
        numbers: The sessions.
        rules, references: What they were scanned with.
        models: Per session, the digests of the fitted models that its scan used.
    """
    told = rules.described()
    if models is not None:
        told["models"] = learned_layout.REVISION
    words = [layout.REVISION, told, [asdict(known) for known in references]]
    under = dumps(words, sort_keys=True).encode()
    used = models if models is not None else [()] * len(numbers)
    return [
        blake2b(
            under + int(number).to_bytes(4) + digest.tobytes() + "".join(own).encode(),
            digest_size=16,
        ).hexdigest()
        for number, digest, own in zip(numbers, digests, used, strict=True)
    ]


def _add_listings(panel: Panel, owner: Words, base: int, out: Words) -> None:
    """Add what is known of each listing to the sessions that read one of its bars.

    Where a listing is not scanned, its beginning is not read: without a security it is the
    first bar at hand, which depends on how far back the reading goes.
    """
    known = panel.segment_scannable
    sectors = np.array([_word(name) for name in panel.sectors] + [0], dtype=np.uint64)
    columns = [
        sectors[np.where(known, panel.segment_sector, -1)],
        _number(np.where(known, panel.segment_first, -1)),
        _number(np.where(known, panel.segment_after, -1)),
        _number(panel.segment_scannable), _number(panel.segment_common),
    ]  # fmt: skip
    always = np.zeros(panel.segments, np.int32), np.full(panel.segments, FOREVER, np.int32)
    spans = _spans(panel, panel.segment_start)
    holder = np.arange(panel.segments)
    _add(holder, owner[panel.segment_symbol], columns, always, spans, base, out)


def _spans(panel: Panel, holder_start: Longs) -> Spans:
    """Return per holder of rows the sessions whose scan reads at least one of its bars."""
    from analytics.calc.kernels import digests

    most = holder_start.size - 1 + np.count_nonzero(np.diff(panel.session) > LOOKBACK)
    start = np.empty(holder_start.size, np.int64)
    since, until = np.empty(most, np.int32), np.empty(most, np.int32)
    count = digests.spans(holder_start, panel.session, LOOKBACK, start, since, until)
    return start, since[:count], until[:count]


def _add(
    holder: npt.NDArray[np.integer],
    owner: Words,
    columns: list[Words],
    reach: tuple[Ints, Ints],
    spans: Spans,
    base: int,
    out: Words,
) -> None:
    from analytics.calc.kernels import digests

    if holder.size:
        digests.digest_rows(
            holder.astype(np.int64), owner, np.stack(columns), *reach, spans, base, out
        )


def _word(symbol: str) -> int:
    return int.from_bytes(blake2b(symbol.encode(), digest_size=8).digest(), "little")


def _raw(values: Floats) -> Words:
    return values.view(np.uint64)


def _number(values: npt.NDArray[np.generic]) -> Words:
    return values.astype(np.int64).view(np.uint64)
