"""Issue theses into the chain, one behind the other, and check that the chain holds (design §9)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection, models, transaction

from analytics.calc import sessions, thesis_calibration, thesis_digest
from analytics.calc.thesis_digest import START, Break, Link
from analytics.models import PatternCalibration, Thesis, thesis_guard
from analytics.models.theses import MACHINES
from analytics.services import lakes

LOCK: Final = 7_203_145  # any number that no other advisory lock of ours has
CHUNK: Final = 500
# The columns that each version of the digest is taken over. A new column makes a new version;
# what stands here is never changed.
CONTENT: Final = {
    1: (
        "number", "candidate_id", "symbol", "session", "pattern", "recommendation", "entry_price",
        "target_price", "stop_price", "max_entry_price", "horizon", "p_target", "p_calibrated",
        "calibration_id", "p_explosive", "text", "reasons", "falsifiers", "unsupported", "figures",
        "supported_share", "data_pack", "pack_version", "author_kind", "author", "written_by_id",
        "model_id", "training_cutoff", "cutoff_basis", "prompt_version", "raw_answer",
        "stop_reason", "tokens_in", "tokens_out", "cost_usd", "issued_at", "is_late", "source",
    )
}  # fmt: skip
VERSION: Final = max(CONTENT)


@dataclass(frozen=True, kw_only=True)
class Head:
    """The end of the chain, to be kept elsewhere: a rewritten history has another one."""

    number: int
    digest: str
    issued_at: datetime


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check of the chain found.

    Attributes:
        theses: Their number.
        broken: The first break; None if the chain holds.
        unguarded: Tables whose rows the database would let change.
        head: The end of the chain; None if it is empty.
    """

    theses: int
    broken: Break | None
    unguarded: list[str]
    head: Head | None


@transaction.atomic
def issue(thesis: Thesis) -> Thesis:
    """Give a thesis its place, its calibrated probability and its digest, and store it.

    One is issued at a time, by whichever worker. A machine says a thing once: what it said of the
    same stock, session and version before is returned as it is.

    Args:
        thesis: Everything but number, previous, digest, calibration and lateness.
    """
    _wait_for_turn()
    said = _said_before(thesis)
    if said is not None:
        return said
    last = Thesis.objects.newest_first().first()
    thesis.number = last.number + 1 if last else 1
    thesis.previous = last
    thesis.is_late = thesis.issued_at >= sessions.opening(sessions.offset(thesis.session, 1))
    _calibrate(thesis)
    _as_stored(thesis)
    thesis.digest_version = VERSION
    thesis.digest = thesis_digest.digest(content(thesis), last.digest if last else START)
    thesis.save(force_insert=True)
    return thesis


def content(thesis: Thesis) -> dict[str, Any]:
    """Return the columns that a thesis' digest is taken over.

    Raises:
        KeyError: Its version of the digest is not known.
    """
    return {name: getattr(thesis, name) for name in CONTENT[thesis.digest_version]}


def get_head() -> Head | None:
    """Return the end of the chain; None if nothing was issued."""
    last = Thesis.objects.newest_first().only("number", "digest", "issued_at").first()
    return Head(number=last.number, digest=last.digest, issued_at=last.issued_at) if last else None


def verify() -> Checked:
    """Go through the whole chain and say where it first breaks, if it does."""
    return Checked(
        theses=Thesis.objects.count(),
        broken=thesis_digest.first_break(_links()),
        unguarded=thesis_guard.missing(connection),
        head=get_head(),
    )


def holds(*, thesis: Thesis) -> bool:
    """Return whether one thesis is what was issued behind the thesis before it."""
    before = thesis.previous.digest if thesis.previous else START
    return thesis_digest.digest(content(thesis), before) == thesis.digest


def get_calibration(
    *, author: str, pattern: str, session: date, source: str
) -> PatternCalibration | None:
    """Return the calibration that a thesis of ``session`` may use: never a later one."""
    known = PatternCalibration.objects.known_by(session)
    return known.filter(
        author=author, pattern=pattern, source__in=lakes.sources_beside(source)
    ).first()


def _wait_for_turn() -> None:
    """Hold a lock until the transaction ends; SQLite lets one writer in at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _said_before(thesis: Thesis) -> Thesis | None:
    if thesis.author_kind not in MACHINES:
        return None
    same = ("source", "symbol", "session", "author", "prompt_version")
    return Thesis.objects.filter(**{name: getattr(thesis, name) for name in same}).first()


def _calibrate(thesis: Thesis) -> None:
    found = get_calibration(
        author=thesis.author, pattern=thesis.pattern, session=thesis.session, source=thesis.source
    )
    if found is None:
        return
    thesis.calibration = found
    thesis.p_calibrated = thesis_calibration.calibrated(
        thesis.p_target, method=found.method, parameters=found.parameters
    )


def _as_stored(thesis: Thesis) -> None:
    """Round amounts as their columns do, and drop what no database keeps in a text."""
    for field in thesis._meta.concrete_fields:
        value = getattr(thesis, field.attname)
        if isinstance(field, models.DecimalField) and value is not None:
            setattr(thesis, field.attname, round(field.to_python(value), field.decimal_places))
        elif isinstance(field, models.CharField | models.TextField | models.JSONField):
            setattr(thesis, field.attname, _storable(value))


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_storable(key): _storable(part) for key, part in value.items()}
    return [_storable(part) for part in value] if isinstance(value, list) else value


def _links() -> Iterator[Link]:
    for thesis in Thesis.objects.in_chain().select_related("previous").iterator(CHUNK):
        yield Link(
            number=thesis.number,
            digest=thesis.digest,
            previous=thesis.previous.digest if thesis.previous else START,
            content=content(thesis),
        )
