"""Take a broker's export into the ledger: all of it or nothing, and nothing twice (design §10).

Rows of layouts without an id are known by their content and by how often the same content stood
in the file before: two equal partial fills stay two, and the same file again adds nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from django.db import transaction

from analytics.errors import DomainError
from analytics.services import bulk
from performance.clients import broker_csv, broker_layouts
from performance.clients.broker_drafts import Draft
from performance.clients.broker_layouts import Fault
from performance.models import (
    Account,
    CashMovement,
    CorporateAction,
    Fill,
    LedgerFinding,
    Origin,
)
from performance.services import broker_activities, ledger_findings, portfolio
from performance.services.broker_activities import NoMeaning
from performance.services.ledger_findings import Found

ORIGIN: Final = "import"
TABLES: Final[Mapping[str, Any]] = {"fill": Fill, "cash": CashMovement, "action": CorporateAction}
COMPARED: Final[Mapping[str, tuple[str, ...]]] = {
    "fill": ("symbol", "side", "quantity", "price"),
    "cash": ("amount", "symbol"),
    "action": ("kind", "symbol"),
}
NONE: Final[Mapping[str, Mapping[str, Any]]] = {
    "fill": {"short_sale": None, "order_id": "", "fee": Decimal(0)},
    "cash": {"symbol": "", "note": ""},
    "action": {
        "ratio": None,
        "quantity": None,
        "price": None,
        "amount": Decimal(0),
        "new_symbol": "",
        "note": "",
    },
}


class FaultyRows(DomainError):
    """Rows that could not be read: nothing of the file was taken."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults[:10]))
        self.faults = list(faults)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One row of the ledger to be, and where it stood. ``state``: new, known, contradiction."""

    line: int
    table: str
    broker_id: str
    columns: dict[str, Any]
    state: str = "new"
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an import would do."""

    layout: str
    rows: list[Wanted]
    faults: list[Fault]

    def count(self, state: str) -> int:
        """Return how many rows are new, known or in contradiction to what is known."""
        return sum(row.state == state for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did."""

    layout: str
    new: int
    known: int
    contradictions: int
    faults: list[Fault] = field(default_factory=list)


def plan(*, account: Account, content: bytes) -> Plan:
    """Return what importing a file would do; nothing is written.

    Raises:
        UnknownLayout: It has the columns of no broker that we know.
    """
    drafts = broker_layouts.draft_all(broker_csv.read(content))
    faults = list(drafts.faults)
    rows = [_of_draft(draft, key) for draft, key in _keyed(drafts.layout, drafts.drafts)]
    for line, activity in drafts.activities:
        try:
            row = broker_activities.translate(activity)
        except NoMeaning as why:
            raw = {name: str(value) for name, value in activity.raw.items()}
            faults.append(Fault(line=line, column="activity_type", message=str(why), raw=raw))
            continue
        columns = {**NONE[row.table], **row.columns}
        rows.append(Wanted(line=line, table=row.table, broker_id=row.broker_id, columns=columns))
    judged = _judged(account, sorted(rows, key=lambda row: row.line))
    return Plan(layout=drafts.layout, rows=judged, faults=sorted(faults, key=lambda f: f.line))


def import_file(
    *, account: Account, content: bytes, now: datetime, keep_faulty: bool = False
) -> Imported:
    """Take a file into the ledger of ``account`` and rebuild it.

    Args:
        account: Whose ledger.
        content: The file.
        now: Written on new rows.
        keep_faulty: Take the good rows and keep each faulty one as a finding; otherwise one
            faulty row stops all.

    Raises:
        FaultyRows: Some rows could not be read, and ``keep_faulty`` is false.
        UnknownLayout: See :func:`plan`.
    """
    wanted = plan(account=account, content=content)
    if wanted.faults and not keep_faulty:
        raise FaultyRows(wanted.faults)
    return store(account=account, plan=wanted, now=now)


@transaction.atomic
def store(*, account: Account, plan: Plan, now: datetime) -> Imported:
    """Write what is new of a plan, its findings, and the portfolio that follows."""
    for table, model in TABLES.items():
        new = [row for row in plan.rows if row.table == table and row.state == "new"]
        if table == "cash":
            _link_reversals(account, new)
        bulk.insert(model, _columns(account, new, now))
    found = [_contradiction(row) for row in plan.rows if row.state == "contradiction"]
    found += [_unreadable(fault) for fault in plan.faults]
    ledger_findings.add(account=account, found=found, now=now, origin=ORIGIN)
    portfolio.rebuild(account=account, now=now)
    return Imported(
        layout=plan.layout,
        new=plan.count("new"),
        known=plan.count("known"),
        contradictions=plan.count("contradiction"),
        faults=plan.faults,
    )


def _keyed(layout: str, drafts: Sequence[Draft]) -> list[tuple[Draft, str]]:
    """Return each draft with its id, or with a key of its content and place among equals."""
    seen: Counter[str] = Counter()
    keyed = []
    for draft in drafts:
        if draft.broker_id:
            keyed.append((draft, draft.broker_id))
            continue
        content = "|".join(
            str(part)
            for part in (
                layout, draft.table, draft.kind, draft.when.isoformat(), draft.symbol, draft.side,
                draft.quantity, draft.price, draft.fee, draft.amount, draft.ratio,
                draft.new_symbol, draft.note,
            )
        )  # fmt: skip
        digest = sha256(content.encode()).hexdigest()[:32]
        seen[digest] += 1
        keyed.append((draft, f"csv:{digest}:{seen[digest]}"))
    return keyed


def _of_draft(draft: Draft, key: str) -> Wanted:
    session = broker_activities.session_of(draft.when)
    columns: dict[str, Any] = {"kind": draft.kind, "symbol": draft.symbol, "session": session}
    if draft.table == "fill":
        columns |= {
            "side": draft.side,
            "short_sale": draft.short_sale,
            "quantity": draft.quantity,
            "price": draft.price,
            "fee": draft.fee,
            "executed_at": draft.when,
            "order_id": draft.order_id,
        }
    elif draft.table == "cash":
        columns |= {
            "amount": (draft.amount or Decimal(0)).quantize(broker_activities.CENT),
            "occurred_at": draft.when,
            "note": draft.note[:200],
        }
    else:
        columns |= {
            "ratio": draft.ratio,
            "quantity": draft.quantity,
            "price": draft.price,
            "amount": (draft.amount or Decimal(0)).quantize(broker_activities.CENT),
            "new_symbol": draft.new_symbol,
            "note": draft.note[:200],
        }
    raw = {"line": draft.line, **draft.raw}
    return Wanted(
        line=draft.line, table=draft.table, broker_id=key, columns={**columns, "raw": raw}
    )


def _judged(account: Account, rows: Sequence[Wanted]) -> list[Wanted]:
    """Tell what is new from what is known, and from what contradicts it."""
    stored: dict[tuple[str, str], Mapping[str, Any]] = {}
    for table, model in TABLES.items():
        keys = [row.broker_id for row in rows if row.table == table]
        found = model.objects.filter(account=account, broker_id__in=keys)
        for values in found.values("broker_id", *COMPARED[table]):
            stored[table, values["broker_id"]] = values
    judged = []
    for row in rows:
        key = (row.table, row.broker_id)
        before = stored.setdefault(key, row.columns)
        state, why = "known", ""
        if before is row.columns:
            state = "new"
        else:
            why = _differing(row, before)
            state = "contradiction" if why else "known"
        judged.append(
            Wanted(
                line=row.line,
                table=row.table,
                broker_id=row.broker_id,
                columns=row.columns,
                state=state,
                why=why,
            )
        )
    return judged


def _differing(row: Wanted, before: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {_shown(before[name])} and {_shown(row.columns[name])}"
        for name in COMPARED[row.table]
        if before[name] != row.columns[name]
    )


def _columns(account: Account, rows: Sequence[Wanted], now: datetime) -> dict[str, list[Any]]:
    if not rows:
        return {"account_id": []}
    names = list(rows[0].columns)
    return {
        "account_id": [account.pk] * len(rows),
        "broker_id": [row.broker_id for row in rows],
        "origin": [Origin.CSV] * len(rows),
        "recorded_at": [now] * len(rows),
        "source": [account.source] * len(rows),
        **{name: [row.columns[name] for row in rows] for name in names},
    }


def _link_reversals(account: Account, rows: Sequence[Wanted]) -> None:
    """Turn the broker's id of what a row takes back into our key of it."""
    wanted = {row.columns["corrects"] for row in rows if row.columns.get("corrects")}
    known = dict(
        CashMovement.objects.filter(account=account, broker_id__in=wanted).values_list(
            "broker_id", "pk"
        )
    )
    for row in rows:
        target = row.columns.pop("corrects", None)
        row.columns["corrects_id"] = known.get(target)


def _contradiction(row: Wanted) -> Found:
    return Found(
        kind=LedgerFinding.Kind.CONTRADICTION,
        severity=LedgerFinding.Severity.ERROR,
        key=row.broker_id,
        symbol=str(row.columns["symbol"])[:16],
        session=row.columns["session"],
        text=f"{row.broker_id}: recorded with {row.why}; the first counts (line {row.line})",
    )


def _unreadable(fault: Fault) -> Found:
    content = sha256(repr(sorted(fault.raw.items())).encode()).hexdigest()[:16]
    return Found(
        kind=LedgerFinding.Kind.UNREADABLE,
        severity=LedgerFinding.Severity.ERROR,
        key=content,
        symbol=str(fault.raw.get("symbol") or "")[:16],
        session=None,
        text=f"{fault}. The row: {', '.join(value for value in fault.raw.values() if value)}",
    )


def _shown(value: Any) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
