"""The exit lab again, in plain Python: one position, one day, one question at a time.

Slow and readable on purpose, and written from design §13 and §16, not from the compiled loop.
Prices are kept as traded; ``basis`` says how many shares one share of the entry has become.
"""

from dataclasses import dataclass, field

from analytics.calc.exits import Costs, Rule

Bar = dict[str, float | None]


@dataclass
class Sale:
    at: int
    share: float  # of the original position
    price: float  # as traded
    basis: float
    why: str


@dataclass
class Position:
    """One position on its way: what was sold, and what was seen of it while it was held."""

    entry: float
    rule: Rule
    stop: float | None
    targets: list[tuple[float, float]]  # price on the entry's basis, fraction; not yet sold
    sales: list[Sale] = field(default_factory=list)
    closes: list[float] = field(default_factory=list)  # on the entry's basis
    seen: list[float] = field(default_factory=list)

    @property
    def left(self) -> float:
        left = 1.0 - sum(sale.share for sale in self.sales)
        return left if left > 1e-9 else 0.0

    def stop_now(self) -> tuple[float, str] | None:
        """The higher of the fixed and the trailing stop, on the entry's basis."""
        levels = []
        if self.stop is not None:
            levels.append((self.stop, "STOP"))
        if self.rule.trail is not None:
            best = max([self.entry, *self.closes])
            levels.append((best * (1 - self.rule.trail), "TRAIL"))
        return max(levels, key=lambda level: level[0]) if levels else None

    def sell(self, at: int, share: float, price: float, basis: float, why: str) -> None:
        self.sales.append(Sale(at, min(share, self.left), price / basis, basis, why))
        self.seen.append(price)

    def sell_targets(self, at: int, reached: float, basis: float, fill: float | None) -> None:
        for target in list(self.targets):
            if reached >= target[0] and self.left:
                self.targets.remove(target)
                self.sell(at, target[1], fill or target[0], basis, "TARGET")


def follow(bars, splits, entry_at, price, rule, costs, *, covered, at_open=True, own=(None, None)):
    """Return state and figures of one position.

    Args:
        bars: By session: ``open``, ``high``, ``low`` (None: not known), ``close``, ``volume``.
        splits: (session, new shares per old).
        covered: Last session that the market's bars reach.
        own: Stop and target of the entry itself.
    """
    if covered < entry_at:
        return "PENDING", {}
    if entry_at not in bars or price is None or not price > 0:
        return "NO_ENTRY", {}
    last_day = entry_at + rule.horizon - 1
    if covered < last_day:
        return "PENDING", {}
    loss = None if rule.stop is None else price * (1 - rule.stop)
    position = Position(
        price, rule, loss, [(price * (1 + t.gain), t.fraction) for t in rule.targets]
    )
    if rule.own:
        stop, target = own
        if (stop is None and target is None) or not (stop or 0) < price < (target or 1e99):
            return "VOID", {}
        position.stop = stop
        position.targets = [(target, 1.0)] if target is not None else []
    return walk(position, bars, splits, entry_at, costs, at_open=at_open)


def walk(position, bars, splits, entry_at, costs, *, at_open):
    """Trade session after session until nothing is left."""
    rule, price = position.rule, position.entry
    last_day = entry_at + rule.horizon - 1
    days = [at for at in sorted(bars) if entry_at <= at <= last_day]
    for at in days:
        basis = 1.0
        for day, ratio in splits:
            basis *= ratio if entry_at < day <= at else 1.0
        trade_day(position, at, bars[at], basis, entry_at=entry_at, at_open=at_open)
        if not position.left:
            break
        close = bars[at]["close"] * basis
        if at == days[-1]:
            ended = max(bars) < last_day
            position.sell(at, 1.0, close, basis, "LAST_TRADE" if ended else "HORIZON")
        elif rule.time_stop and at - entry_at + 1 >= rule.time_stop and close <= price:
            position.sell(at, 1.0, close, basis, "TIME")
            break
        position.closes.append(close)
    return settle(position, bars, entry_at, costs)


def trade_day(position, at, bar, basis, *, entry_at, at_open):
    """Trade one session up to just before its close."""
    close = bar["close"] * basis
    if at == entry_at and not at_open:
        first = high = low = close
    else:
        first = bar["open"] * basis if bar["open"] is not None else None
        if at == entry_at:
            first = position.entry
        high = bar["high"] * basis if bar["high"] is not None else close
        low = bar["low"] * basis if bar["low"] is not None else close
        if first is not None:
            high, low = max(high, first), min(low, first)
    stop = position.stop_now()
    if first is not None:
        if stop and first <= stop[0]:
            position.sell(at, 1.0, first, basis, stop[1])
            return
        position.seen.append(first)
        position.sell_targets(at, first, basis, first)
        if not position.left:
            return
    if stop and low <= stop[0]:
        fill = stop[0] if first is not None else min(stop[0], close)
        position.sell(at, 1.0, fill, basis, stop[1])
        return
    position.sell_targets(at, high, basis, None)
    if position.left:
        position.seen += [high, low]


def settle(position, bars, entry_at, costs: Costs):
    def charge(price):
        return min(max(costs.rate, costs.least_usd / price), costs.worst)

    entry, sales = position.entry, position.sales
    gross = sum(sale.share * sale.price * sale.basis for sale in sales)
    net = sum(sale.share * sale.price * sale.basis * (1 - charge(sale.price)) for sale in sales)
    limits = [bars[entry_at]["volume"]]
    limits += [bars[sale.at]["volume"] / sale.basis / sale.share for sale in sales]
    last = sales[-1]
    before = [entry, *position.closes[: sum(entry_at <= at < last.at for at in bars)]]
    return ("DELISTED" if last.why == "LAST_TRADE" else "SETTLED"), {
        "reason": last.why,
        "exit_session": last.at,
        "price": gross,
        "gross": gross / entry - 1,
        "net": net / (entry * (1 + charge(entry))) - 1,
        "highest_close": max(before) / entry - 1 if last.at > entry_at else None,
        "mfe": max([entry, *position.seen]) / entry - 1,
        "mae": min([entry, *position.seen]) / entry - 1,
        "capacity": costs.max_share * min(limits) * entry,
    }
