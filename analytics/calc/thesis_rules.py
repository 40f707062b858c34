"""The rules author: a thesis from the data pack alone, the same for the same pack (design §9).

Every choice is stated in docs/theses.md. A change of any of them makes a new ``VERSION``.
"""

from collections.abc import Mapping
from math import exp, log, pi, sin
from typing import Any, Final

from analytics.calc.falsifiers import Condition
from analytics.calc.thesis_draft import PLACES, Draft

VERSION: Final = "1"
HORIZON: Final = 14  # sessions
STOP_RANGES: Final = 2.0  # the stop lies so many average true ranges below
LEAST_STOP, MOST_STOP = 0.05, 0.25  # and at least and at most this far
REWARD: Final = 2.0  # distance of the target over that of the stop
CHASE: Final = 0.10  # never pay more over the signal's close (design §14)
LIFT: Final = 1.5  # what is bought was explosive so much more often than its matched base
RARE: Final = ("top 1 %", "top 5 %")  # labels of the score's own history
STRONG_CLOSE: Final = 0.5  # place of the close in the day's range
LOSS_LIMIT: Final = 0.25  # a held position this far down is to be liquidated (design §14)
TERMS: Final = 60  # of the series of the first-passage probability


class NoRange(ValueError):
    """Neither the true range nor the volatility is known: no barriers can be set."""


def write(pack: Mapping[str, Any]) -> Draft:
    """Return the thesis that the rules write about a pack.

    Raises:
        NoRange: ``atr_pct_14`` and ``volatility_20`` are both unknown, or 0.
    """
    features = pack["features"]
    close = float(features["close"])
    reach = features.get("atr_pct_14") or features.get("volatility_20")
    if not reach:
        raise NoRange(f"{pack['symbol']}: neither true range nor volatility is known")
    away = min(max(STOP_RANGES * float(reach), LEAST_STOP), MOST_STOP)
    stop, target = close * (1 - away), close * (1 + REWARD * away)
    sigma = float(features.get("volatility_20") or reach)
    against = _against(pack)
    recommendation = _recommendation(pack, against)
    return Draft(
        recommendation=recommendation,
        entry=round(close, PLACES),
        target=round(target, PLACES),
        stop=round(stop, PLACES),
        max_entry=round(min((target + stop) / 2, close * (1 + CHASE)), PLACES),
        horizon=HORIZON,
        p_target=round(first_passage(up=REWARD * away, down=away, sigma=sigma, steps=HORIZON), 4),
        p_explosive=_explosive(pack),
        text=_text(pack, recommendation, against),
        reasons=_reasons(pack, against),
        falsifiers=_falsifiers(round(stop, PLACES)),
    )


def first_passage(*, up: float, down: float, sigma: float, steps: int) -> float:
    """Return the probability that a driftless walk of the log price is first up, not down.

    Args:
        up: Distance of the upper barrier [fraction of the price].
        down: Distance of the lower barrier [fraction of the price], below 1.
        sigma: Standard deviation of a session's log return.
        steps: Sessions within which it must happen.

    Source: Darling and Siegert 1953, Ann. Math. Stat. 24, 624 (exit from a strip by time t).
    """
    low, width = -log(1 - down), log(1 + up) - log(1 - down)
    place, speed = low / width, (pi * sigma / width) ** 2 * steps / 2
    terms = [
        (1.0 if n % 2 == 0 else -1.0) / n * sin(n * pi * place) * exp(-n * n * speed)
        for n in range(1, TERMS + 1)
    ]
    return min(max(place + 2 / pi * sum(terms), 0.0), 1.0)


def _most_alike(pack: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what the stock-days as alike to the most alike reference came to."""
    others = [one for one in pack.get("similarity", []) if not one.get("by_construction")]
    known = [one for one in others if _share(one.get("reached")) is not None]
    found = max(known, key=lambda one: one["similarity"], default=None)
    return found["reached"] if found else None


def _explosive(pack: Mapping[str, Any]) -> float | None:
    """Return the share of the stock-days as alike, or else that of the matched base."""
    alike = _share(_most_alike(pack))
    return alike if alike is not None else _share(pack.get("matched_base"))


def _share(estimate: Any) -> float | None:
    return estimate.get("share") if isinstance(estimate, Mapping) else None


def _against(pack: Mapping[str, Any]) -> list[str]:
    """Return what speaks against buying; each is one rule, [] if none does."""
    candidate, features = pack["candidate"], pack["features"]
    found = []
    if candidate.get("pattern") != "VIGL_SQUEEZE" and candidate.get("label") not in RARE:
        found.append("It is neither a VIGL squeeze nor among the rarest scores of its history.")
    if any(one.get("kind") == "offering" for one in pack.get("notices", [])):
        found.append("A filing that may mean new shares was made within the month before.")
    place = features.get("close_location")
    if place is not None and place < STRONG_CLOSE:
        found.append("It closed in the lower half of its range.")
    alike, base = _share(_most_alike(pack)), _share(pack.get("matched_base"))
    if alike is None or base is None:
        found.append("How often such stock-days were explosive is not known.")
    elif alike < LIFT * base:
        found.append(
            f"Stock-days as alike were explosive in {alike:.1%} of cases, "
            f"the matched base in {base:.1%}."
        )
    if candidate.get("volume_event"):
        found.append("The whole market traded more than usual that session.")
    return found


def _recommendation(pack: Mapping[str, Any], against: list[str]) -> str:
    held = _held(pack)
    if held and (held.get("unrealised") or 0.0) <= -LOSS_LIMIT:
        return "LIQUIDATE"
    limit = held.get("limit") if held else None
    if held and limit is not None and (held.get("weight") or 0.0) > limit:
        return "TRIM"
    if not against:
        return "BUY"
    return "TRIM" if held else "AVOID"


def _held(pack: Mapping[str, Any]) -> Mapping[str, Any] | None:
    portfolio = pack.get("portfolio")
    held = portfolio.get("held") if isinstance(portfolio, Mapping) else None
    return held if isinstance(held, Mapping) else None


def _text(pack: Mapping[str, Any], recommendation: str, against: list[str]) -> str:
    features, candidate = pack["features"], pack["candidate"]
    said = (
        f"{pack['symbol']} closed at ${features['close']:.4g} on {pack['session']}, volume "
        f"{features['rel_volume']:.3g}x its 20-session mean, rank {candidate['rank']} "
        f"with a score of {candidate['score']:.3g}."
    )
    if recommendation == "LIQUIDATE":
        return f"{said} The position is held at a loss beyond the limit."
    if recommendation == "TRIM":
        return f"{said} It is held, and either over its size limit or no longer to be bought."
    return (
        f"{said} What speaks against buying: see the reasons."
        if against
        else (f"{said} No rule speaks against buying.")
    )


def _reasons(pack: Mapping[str, Any], against: list[str]) -> list[str]:
    base = _share(pack.get("matched_base"))
    shown = [f"The matched base was explosive in {base:.1%} of cases."] if base is not None else []
    return [*against, *shown][:6]


def _falsifiers(stop: float) -> list[str]:
    return [
        str(Condition(measure="close", comparison="<", number=stop)),
        str(Condition(measure="rel_volume", comparison="<", number=1.0, sessions=3)),
        str(Condition(measure="ret_1", comparison="<=", number=-0.15)),
    ]
