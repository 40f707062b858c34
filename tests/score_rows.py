"""An account with a year of round trips on the bars of ``risk_market``: what scoring needs."""

from datetime import UTC, datetime, time
from decimal import Decimal

from analytics.calc import sessions
from performance.models import DashboardSummary, EquityDay, RoadmapChange, RoadmapCheck
from tests import factories, risk_market

LAST, EVENING = risk_market.LAST, risk_market.EVENING
HOLD, APART, SHARES = 5, 9, 100


def day(ago):
    """The session ``ago`` sessions before the last."""
    return sessions.offset(LAST, -ago)


def at_noon(session):
    return datetime.combine(session, time(16), tzinfo=UTC)


def make_trade(account, symbol, path, *, ago, hold=HOLD, candidate=None, **fields):
    """Buy at one close and sell at another, as the bars had them; hold=None: still held."""
    size = len(path)
    entry = Decimal(f"{path[size - 1 - ago]:.4f}")
    out = Decimal(f"{path[size - 1 - (ago - hold if hold is not None else 0)]:.4f}")
    profit = (out - entry) * SHARES
    closed = hold is not None
    own = {
        "symbol": symbol,
        "quantity": SHARES,
        "opened_at": at_noon(day(ago)),
        "closed_at": at_noon(day(ago - hold)) if closed else None,
        "entry_price": entry,
        "exit_price": out if closed else None,
        "invested": entry * SHARES,
        "proceeds": out * SHARES if closed else 0,
        "realised": profit if closed else 0,
        "unrealised": None if closed else profit,
        "mark_price": None if closed else out,
        "mark_session": None if closed else LAST,
        "return_on_cost": float(profit / (entry * SHARES)),
        "candidate": candidate,
        "source": account.source,
    }
    return factories.make_trade(account=account, **{**own, **fields})


def make_record(account, *, n=30, linked=True):
    """``n`` closed trades, one every nine sessions, the last ones newest; the signal of each
    was known two sessions before its entry.
    """
    paths = risk_market.closes()
    made = []
    for at in range(n):
        ago = HOLD + 3 + APART * (n - 1 - at)
        symbol = "AAA" if at % 2 else "BBB"
        candidate = None
        if linked:
            candidate = factories.make_candidate(
                symbol=symbol, session=day(ago + 2), source=account.source
            )
        made.append(make_trade(account, symbol, paths[symbol], ago=ago, candidate=candidate))
    return made


def make_equity(account, *, days=250, start=10_000):
    """Equity that wobbles with a fixed rhythm, paid in on its first day."""
    rows, equity = [], Decimal(start)
    for at in range(days):
        if at:
            equity = (equity * (Decimal("1.004") if at % 3 else Decimal("0.995"))).quantize(
                Decimal("0.01")
            )
        rows.append(
            EquityDay(
                account=account, session=day(days - 1 - at), cash=equity, holdings=0,
                equity=equity, equity_at_zero=equity, flow=start if at == 0 else 0,
                source=account.source,
            )
        )  # fmt: skip
    return EquityDay.objects.bulk_create(rows)


def make_check(**fields):
    """A check box of the roadmap."""
    wanted = {
        "key": "entry_delay", "position": 10, "phase": 3, "state": "not_met",
        "evidence": "mean entry delay 1.40 sessions, n = 9", "flipped_on": LAST, "as_of": LAST,
        "updated_at": EVENING, "source": "imported",
    }  # fmt: skip
    return RoadmapCheck.objects.create(**{**wanted, **fields})


def make_change(**fields):
    """A flip of a check box."""
    box = fields.pop("check_box", None) or make_check(key=f"box {RoadmapCheck.objects.count()}")
    wanted = {
        "before": "unknown", "after": "met", "session": LAST, "evidence": "seen",
        "changed_at": EVENING, "source": "imported",
    }  # fmt: skip
    return RoadmapChange.objects.create(check_box=box, **{**wanted, **fields})


_computed: dict[str, list] = {}


def make_scored(folder, settings):
    """Summaries and check boxes of an account with a year of trades.

    Computed once a process and stored as rows from then on: a page or an endpoint reads no more.
    """
    if not _computed:
        from performance.services import summaries

        risk_market.store(folder, settings)
        account = factories.make_account()
        make_record(account)
        make_equity(account)
        summaries.refresh_summaries(source="imported", now=EVENING)
        for model in (DashboardSummary, RoadmapCheck):
            _computed[model.__name__] = list(model.objects.order_by("pk").values())
        return
    for model in (DashboardSummary, RoadmapCheck):
        rows = [{**row, "id": None} for row in _computed[model.__name__]]
        model.objects.bulk_create(model(**row) for row in rows)
