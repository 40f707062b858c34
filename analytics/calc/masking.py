"""Hide which stock and when, so that a model cannot remember what happened (design §9).

The ticker, all other tickers, names and dates go; prices are rescaled, and shares with them, so
that dollar volumes and every ratio stay what they were.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final

from analytics.calc import data_pack, sessions

TICKER: Final = "STOCK"
PRICES: Final = ("close", "open", "high", "low", "price", "entry", "target", "stop", "average_cost")
SHARES: Final = ("volume", "float_shares", "shares", "quantity")
LEAST, MOST = 0.6, 1.6  # by what prices are rescaled
NAMED: Final = ("symbol", "reference", "to")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}Z)?")


@dataclass(frozen=True, kw_only=True)
class Masked:
    """A pack that names nothing, and how to read prices of its answer.

    Attributes:
        pack: To be asked with.
        scale: Prices of the pack over those of the market.
    """

    pack: dict[str, Any]
    scale: float

    def price(self, shown: float) -> float:
        """Return a price of the market for one of the answer."""
        return shown / self.scale


def mask(pack: Mapping[str, Any]) -> Masked:
    """Return ``pack`` without symbol, names and dates, its prices rescaled.

    The scale is drawn from the symbol and the session, so a replay repeats. Dates become session
    counts from the signal session ("D+1"). News, notices' words and the portfolio are left out.
    """
    session = date.fromisoformat(pack["session"])
    scale = _scale(f"{pack['symbol']} {pack['session']}")
    names: dict[str, str] = {pack["symbol"]: TICKER, "VIGL_SQUEEZE": "SQUEEZE"}
    shown = copy.deepcopy(dict(pack))
    shown["news"] = "masked"
    shown["portfolio"] = "masked"
    shown["notices"] = [{"kind": one.get("kind", ""), "at": one.get("at", "")}
                        for one in _entries(shown.get("notices"))]  # fmt: skip
    return Masked(pack=_masked(shown, "", session, scale, names), scale=scale)


def _entries(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _scale(key: str) -> float:
    share = int.from_bytes(sha256(key.encode()).digest()[:8], "big") / 2**64
    return LEAST + (MOST - LEAST) * share


def _masked(value: Any, name: str, session: date, scale: float, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {k: _masked(v, k, session, scale, names) for k, v in value.items()}
    if isinstance(value, list):
        return [_masked(v, name, session, scale, names) for v in value]
    if isinstance(value, str):
        return _text(value, name, session, names)
    if isinstance(value, bool) or value is None:
        return value
    if name in PRICES:
        return data_pack.significant(value * scale)
    return data_pack.significant(value / scale) if name in SHARES else value


def _text(value: str, name: str, session: date, names: dict[str, str]) -> str:
    if name in NAMED and value:
        return names.setdefault(value, f"STOCK_{len(names)}")
    hidden = _DAY.sub(lambda found: _relative(found[0], session), value)
    for known, alias in names.items():
        hidden = re.sub(rf"\b{re.escape(known)}\b", alias, hidden)
    return hidden


def _relative(day: str, session: date) -> str:
    apart = sessions.number(date.fromisoformat(day[:10])) - sessions.number(session)
    return f"D{apart:+d}" if apart else "D"
