"""Assess the risk of every account and position after a session (design §14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import transaction

from analytics.calc.evidence import Estimate, insufficient, measured
from analytics.services import bulk
from performance.calc import advice, figure_json, risk, sizing
from performance.calc.risk_past import Seen
from performance.models import RiskAdvice, RiskAssessment
from performance.services import risk_reading
from performance.services.risk_reading import Held, Market

STORED = (
    "var_95",
    "cvar_95",
    "beta",
    "max_drawdown",
    "sector_hhi",
    "name_hhi",
    "mean_correlation",
    "heat",
    "gross_exposure",
    "volatility",
)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What an assessment wrote: rows that are new or changed."""

    session: date
    accounts: int
    positions: int
    changed: int


def record_assessments(*, source: str, now: datetime) -> Recorded:
    """Assess every active account of the realm and what it holds, as of the newest session.

    Run again it writes the same rows; positions that were sold since are taken out.

    Args:
        source: ``live``, ``imported`` or ``simulated``: tells accounts and lake.
        now: Sessions that ended by then count.
    """
    accounts = risk_reading.get_accounts(source)
    positions = risk_reading.get_positions(accounts)
    symbols = {position.symbol for held in positions.values() for position in held}
    market = risk_reading.get_market(source=source, symbols=symbols, now=now)
    curves = risk_reading.get_curves(accounts, until=market.session)
    rows: list[dict[str, Any]] = []
    for account in accounts:
        held = risk_reading.hold(account, positions[account.pk], curves[account.pk], market)
        rows += assess(held, market)
    columns = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    with transaction.atomic():
        _forget_sold(accounts_of=rows, session=market.session)
        changed = bulk.upsert(
            RiskAssessment,
            {**columns, "assessed_at": [now] * len(rows)},
            key=["account", "symbol", "session"],
            stamps=["assessed_at"],
        )
    return Recorded(
        session=market.session,
        accounts=len(accounts),
        positions=len(rows) - len(accounts),
        changed=changed,
    )


def assess(held: Held, market: Market) -> list[dict[str, Any]]:
    """Return the rows of an account: its own, then one per position."""
    seen = market.past(held.holdings.symbols)
    source = held.account.source
    figures = risk.portfolio(
        held.holdings,
        seen.past,
        source=source,
        as_of=market.session,
        equity_returns=held.curve.returns(),
    )
    figures |= _sizing(held, market.session)
    figures["heat_confirmed_stops"] = _confirmed_heat(held, market.session)
    empty = dict.fromkeys(_COLUMNS)
    whole = {
        **empty,
        "account": held.account.pk,
        "symbol": "",
        "session": market.session,
        "equity": risk_reading.cents(held.holdings.equity),
        "market_value": risk_reading.cents(float(np.nansum(held.holdings.value))),
        "size_limit": held.holdings.limit,
        "sector": "",
        "is_frozen": any(position.is_frozen for position in held.positions),
        "advice": "",
        "reason": figures["var_95"].reason[:200],
        **{name: figures[name].value for name in STORED},
        "figures": {name: figure_json.to_json(each) for name, each in figures.items()},
        "source": source,
    }
    return [whole, *(_position(held, seen, at, market) for at in range(len(held.positions)))]


_COLUMNS = (
    "account", "symbol", "session", "equity", "market_value", "weight", "size_limit",
    "is_oversize", "unrealised", "stop_price", "stop_distance", "money_at_risk", "days_to_exit",
    "volatility", "sector", "var_95", "cvar_95", "beta", "max_drawdown", "sector_hhi",
    "name_hhi", "mean_correlation", "heat", "gross_exposure", "is_frozen", "advice", "reason",
    "figures", "source",
)  # fmt: skip


def _position(held: Held, seen: Seen, at: int, market: Market) -> dict[str, Any]:
    holdings, position = held.holdings, held.positions[at]
    numbers = {
        "weight": float(holdings.weight[at]),
        "unrealised": float(holdings.open_return[at]),
        "stop_distance": float(holdings.stop_distance[at]),
        "money_at_risk": float(holdings.money_at_risk[at]),
        "days_to_exit": float(holdings.days_to_exit[at]),
        "volatility": float(seen.volatility[at]),
    }
    weight, gain = numbers["weight"], numbers["unrealised"]
    oversize = None if np.isnan(weight) else bool(abs(weight) > holdings.limit * (1 + 1e-9))
    do, reason = _advice(gain, weight, oversize, holdings.limit)
    mark = position.mark_session
    shown = {
        name: _evidence(name, value, held, int(seen.counts[at]), at, mark)
        for name, value in numbers.items()
    }
    return {
        **dict.fromkeys(_COLUMNS),
        "account": held.account.pk,
        "symbol": position.symbol,
        "session": market.session,
        "equity": risk_reading.cents(holdings.equity),
        "market_value": position.market_value,
        "size_limit": holdings.limit,
        "is_oversize": oversize,
        "stop_price": risk_reading.price(float(holdings.stop[at])),
        **{name: _known(value) for name, value in numbers.items()},
        "money_at_risk": risk_reading.cents(numbers["money_at_risk"]),
        "sector": holdings.sectors[at],
        "is_frozen": position.is_frozen,
        "advice": do,
        "reason": reason,
        "figures": {name: figure_json.to_json(each) for name, each in shown.items()}
        | {"stop_basis": held.stop_basis[at]},
        "source": held.account.source,
    }


def _advice(gain: float, weight: float, oversize: bool | None, limit: float) -> tuple[str, str]:
    """Return what risk alone says: a critical loss, then the size limit (design §14)."""
    if gain < advice.CRITICAL_LOSS:
        return RiskAdvice.LIQUIDATE, f"loss of {gain:.1%} is beyond {advice.CRITICAL_LOSS:.0%}"
    if oversize:
        return RiskAdvice.TRIM, f"{abs(weight):.1%} of equity, {limit:.1%} are allowed"
    if np.isnan(gain) or oversize is None:
        return RiskAdvice.HOLD, "mark or equity is not known: loss or size could not be judged"
    return RiskAdvice.HOLD, "loss and size are within the limits"


METHODS = {
    "weight": "market value over equity",
    "unrealised": "market value less cost, over cost",
    "stop_distance": "mark to stop, over mark; stop: {basis}",
    "money_at_risk": "market value times stop distance [USD]; stop: {basis}",
    "days_to_exit": "market value over 10 % of the mean dollar volume of 20 sessions",
    "volatility": "sample deviation of daily returns, annual",
}
LACKING = {
    "weight": "equity or mark is not known",
    "unrealised": "mark or cost is not known",
    "stop_distance": "there is neither a stop at the broker nor a thesis",
    "money_at_risk": "the mark is not known, or a short has no stop",
    "days_to_exit": "dollar volume needs 15 of the last 20 sessions",
    "volatility": "under 20 daily returns",
}


def _evidence(
    name: str, value: float, held: Held, returns: int, at: int, mark: date | None
) -> Estimate:
    n = returns if name == "volatility" else 1
    about: dict[str, Any] = {"source": held.account.source, "as_of": mark}
    if not np.isfinite(value):
        return insufficient(n=n, reason=LACKING[name], **about)
    basis = {"broker": "at the broker", "thesis": "of the thesis, not confirmed", "none": "none"}
    return measured(
        value=value,
        n=n,
        method=METHODS[name].format(basis=basis[held.stop_basis[at]]),
        reason="counted from the position, no sampling" if n == 1 else "one stock's past",
        **about,
    )


def _sizing(held: Held, session: date) -> dict[str, Estimate]:
    """Return how well the chosen sizes did (design §14)."""
    sized = risk_reading.get_sized(held.account, held.curve, until=session)
    about: dict[str, Any] = {"source": held.account.source, "as_of": session}
    return {
        "size_rank_correlation": sizing.rank_correlation(sized.weight, sized.result, **about),
        "capital_less_equal": sizing.capital_less_equal(
            sized.capital, sized.result, sized.group, **about
        ),
    }


def _confirmed_heat(held: Held, session: date) -> Estimate:
    """Return heat with stops that do not work at the broker counted as none."""
    stop = np.where([basis == "broker" for basis in held.stop_basis], held.holdings.stop, np.nan)
    found = risk.portfolio(
        replace(held.holdings, stop=stop),
        risk.Past(returns=np.empty((0, stop.size)), benchmark=np.empty(0), last=None),
        source=held.account.source,
        as_of=session,
        equity_returns=np.empty(0),
    )
    return found["heat"]


def _forget_sold(*, accounts_of: Sequence[Mapping[str, Any]], session: date) -> None:
    """Delete this session's rows of what is not held any more."""
    kept = {(row["account"], row["symbol"]) for row in accounts_of}
    stored = RiskAssessment.objects.filter(
        session=session, account__in={row["account"] for row in accounts_of}
    ).values_list("pk", "account_id", "symbol")
    gone = [pk for pk, account, symbol in stored if (account, symbol) not in kept]
    if gone:
        RiskAssessment.objects.filter(pk__in=gone).delete()


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
