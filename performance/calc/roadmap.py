"""The mission's roadmap: four phases, fifteen check boxes, each a predicate over figures (§12)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from analytics.calc.evidence import Estimate

MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"
PHASES = (
    "Emergency stabilization",
    "Discovery system restoration",
    "Execution enhancement",
    "Performance optimization",
)
PHASE_DAYS = 14
WORST_LOSS = -0.25  # of an open position, a fraction
VOLUME_THRESHOLD, PRICE_BAND = 20.9, (2.94, 4.66)  # of VIGL, as the mission has them
EXPLOSIVE_SHARE = 0.20
AT_ONCE = 0.50  # share of trades bought on the first executable session
MOST_DELAY = 1.0  # sessions
ACCURACY = 0.70
WIN_RATE, AVERAGE_RETURN = 0.60, 0.30
OVERFITTING = 0.50  # probability from which a sweep says nothing
FEWEST_SIZED = 20  # trades that a verdict on sizing needs
MONITORED = 5  # sessions in a row with stored metrics


@dataclass(frozen=True, kw_only=True)
class Live:
    """What the predicates look at, as it stands after a session. None: not known.

    Attributes:
        as_of: The session.
        start: First day of the roadmap; None while it has not begun.
        positions: Open positions with a mark; ``unmarked``: those without.
        worst: Return of the worst of them, and its symbol.
        assessed: Positions with a known weight, ``oversize`` of them above ``size_limit``.
        assessed_on: Session of that assessment.
        probed: Components of §15 measured within a day, ``unknown_probes`` of them unknown;
            ``components`` must be known.
        batch_age: Sessions since the newest batch; None without one.
        compared: Candidates of the newest batch with a similarity to VIGL, of ``candidates``.
        volume_threshold, price_band: As the detector in force uses them for its VIGL flag.
        in_band: Candidates of the newest batch whose close lies in the band.
        price_gates: Lowest and highest close of each active variant.
        explosive: Explosive rate of first signals, by active variant, 90 days.
        at_once, delay: Of the trades with a candidate, 90 days.
        calibrations: Corrections of theses fitted since the start; ``prompts``: prompt versions
            issued since the start.
        accuracy: Thesis accuracy, 90 days.
        sweeps: Weight sweeps since the start, with their probability of overfitting.
        equal, capital: Average return, each trade alike and by capital, 90 days.
        win_rate: 90 days.
        monitored: Newest sessions in a row with stored metrics and a summary.
    """

    as_of: date
    start: date | None = None
    has_account: bool = False
    positions: int = 0
    unmarked: int = 0
    worst: float | None = None
    worst_symbol: str = ""
    assessed: int = 0
    oversize: int = 0
    size_limit: float | None = None
    assessed_on: date | None = None
    components: int = 8
    probed: int = 0
    unknown_probes: int = 0
    batch_age: int | None = None
    candidates: int = 0
    compared: int = 0
    volume_threshold: float | None = None
    price_band: tuple[float, float] | None = None
    in_band: int = 0
    price_gates: Sequence[tuple[float, float]] = ()
    explosive: dict[str, Estimate] = field(default_factory=dict)
    at_once: Estimate | None = None
    delay: Estimate | None = None
    calibrations: int = 0
    prompts: int = 0
    accuracy: Estimate | None = None
    sweeps: Sequence[float | None] = ()
    equal: Estimate | None = None
    capital: Estimate | None = None
    win_rate: Estimate | None = None
    monitored: int = 0


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a predicate says: state, the evidence in a sentence, the figures behind it."""

    state: str
    evidence: str
    figures: dict[str, Any] = field(default_factory=dict)


Predicate = Callable[[Live], Found]


@dataclass(frozen=True, kw_only=True)
class CheckBox:
    """One check box of the mission.

    Attributes:
        key: As stored.
        phase: 1 to 4.
        title: The mission's words.
        rule: The predicate in words.
        predicate: The same as arithmetic.
    """

    key: str
    phase: int
    title: str
    rule: str
    predicate: Predicate


def ends(start: date) -> date:
    """Return the last day of the roadmap: eight weeks from its start."""
    return start + timedelta(days=len(PHASES) * PHASE_DAYS - 1)


def phase_days(start: date, phase: int) -> tuple[date, date]:
    """Return first and last day of a phase, 1 to 4."""
    first = start + timedelta(days=(phase - 1) * PHASE_DAYS)
    return first, first + timedelta(days=PHASE_DAYS - 1)


def current_phase(start: date | None, today: date) -> int | None:
    """Return the phase of a day; None before the start and after the end."""
    if start is None or not start <= today <= ends(start):
        return None
    return (today - start).days // PHASE_DAYS + 1


def _when(condition: bool, evidence: str, **figures: Any) -> Found:
    return Found(state=MET if condition else NOT_MET, evidence=evidence, figures=figures)


def _unknown(evidence: str, **figures: Any) -> Found:
    return Found(state=UNKNOWN, evidence=evidence, figures=figures)


def _figure(estimate: Estimate | None, what: str) -> Found | None:
    """Return that a figure is not known, with its reason; None if it is."""
    if estimate is None:
        return _unknown(f"{what}: not computed yet")
    if estimate.value is None:
        return _unknown(f"{what}: {estimate.reason} (n = {estimate.n})", n=estimate.n)
    return None


def _share(estimate: Estimate, digits: int = 1) -> str:
    """Return a share with its interval and n."""
    value = estimate.value or 0.0
    said = f"{value * 100:.{digits}f} %"
    if estimate.low is not None and estimate.high is not None:
        said += f" (95 %: {estimate.low * 100:.{digits}f} to {estimate.high * 100:.{digits}f} %)"
    return f"{said}, n = {estimate.n}"


def no_critical_loss(live: Live) -> Found:
    if not live.has_account:
        return _unknown("no account is on file")
    if not live.positions:
        held = f"; {live.unmarked} without a mark" if live.unmarked else ""
        return (
            _unknown(f"no position has a mark{held}") if held else _when(True, "no open position")
        )
    worst = live.worst or 0.0
    said = f"worst of {live.positions} positions: {live.worst_symbol} {worst * 100:+.1f} %"
    if worst < WORST_LOSS:
        return _when(False, said, worst=worst, positions=live.positions)
    if live.unmarked:
        return _unknown(f"{said}; {live.unmarked} more have no mark", worst=worst)
    return _when(True, said, worst=worst, positions=live.positions)


def within_size_limit(live: Live) -> Found:
    if live.size_limit is None or live.assessed_on is None:
        return _unknown("no assessment of position sizes is on file")
    said = (
        f"{live.oversize} of {live.assessed} positions above {live.size_limit * 100:.0f} % of "
        f"equity on {live.assessed_on}"
    )
    return _when(live.oversize == 0, said, oversize=live.oversize, limit=live.size_limit)


def health_is_measured(live: Live) -> Found:
    said = (
        f"{live.probed} components measured within a day, {live.unknown_probes} of them unknown; "
        f"{live.components} must be known"
    )
    known = live.probed - live.unknown_probes
    return _when(known >= live.components, said, probed=live.probed, unknown=live.unknown_probes)


def pattern_is_detected(live: Live) -> Found:
    if live.batch_age is None:
        return _unknown("no session has been scanned")
    said = (
        f"newest scan {live.batch_age} sessions old; {live.compared} of {live.candidates} "
        "candidates compared with VIGL"
    )
    works = live.batch_age <= 1 and live.candidates > 0 and live.compared == live.candidates
    return _when(works, said, age=live.batch_age, compared=live.compared)


def volume_is_calibrated(live: Live) -> Found:
    if live.volume_threshold is None:
        return _unknown("no variant is active")
    said = f"the VIGL flag of the active variants asks for {live.volume_threshold:g}x"
    return _when(live.volume_threshold == VOLUME_THRESHOLD, said, threshold=live.volume_threshold)


def price_is_focused(live: Live) -> Found:
    if live.price_band is None or not live.price_gates:
        return _unknown("no variant is active")
    low, high = live.price_band
    inside = all(first <= low and high <= last for first, last in live.price_gates)
    said = (
        f"the VIGL flag asks for ${low:.2f} to ${high:.2f}, inside the gate of every active "
        f"variant: {'yes' if inside else 'no'}; {live.in_band} of {live.candidates} candidates "
        "of the newest scan lie in it"
    )
    return _when(live.price_band == PRICE_BAND and inside, said, band=[low, high])


def candidates_explode(live: Live) -> Found:
    known = {name: each for name, each in live.explosive.items() if each.value is not None}
    if not known:
        reasons = [f"{name}: {each.reason}" for name, each in live.explosive.items()]
        return _unknown("; ".join(reasons)[:300] or "no variant has settled candidates")
    name, best = max(known.items(), key=lambda item: (item[1].value or 0.0, item[0]))
    said = f"best active variant {name}: {_share(best)}, first signals of 90 days"
    return _when((best.value or 0.0) >= EXPLOSIVE_SHARE, said, value=best.value, n=best.n)


def bought_at_once(live: Live) -> Found:
    missing = _figure(live.at_once, "share bought on the first executable session")
    if missing or live.at_once is None:
        return missing or _unknown("not computed yet")
    said = f"bought on the first executable session: {_share(live.at_once)}"
    return _when((live.at_once.value or 0.0) >= AT_ONCE, said, value=live.at_once.value)


def theses_are_retrained(live: Live) -> Found:
    if live.start is None:
        return _unknown("the roadmap has not begun")
    said = (
        f"since {live.start}: {live.calibrations} calibrations fitted on settled theses, "
        f"{live.prompts} prompt versions in use"
    )
    return _when(live.calibrations > 0, said, calibrations=live.calibrations)


def entry_is_timely(live: Live) -> Found:
    missing = _figure(live.delay, "mean entry delay")
    if missing or live.delay is None:
        return missing or _unknown("not computed yet")
    mean = live.delay.value or 0.0
    said = f"mean entry delay {mean:.2f} sessions, n = {live.delay.n}"
    return _when(mean < MOST_DELAY, said, value=mean, n=live.delay.n)


def theses_are_right(live: Live) -> Found:
    missing = _figure(live.accuracy, "thesis accuracy")
    if missing or live.accuracy is None:
        return missing or _unknown("not computed yet")
    said = f"thesis accuracy {_share(live.accuracy)}, 90 days"
    return _when((live.accuracy.value or 0.0) > ACCURACY, said, value=live.accuracy.value)


def parameters_are_tuned(live: Live) -> Found:
    if live.start is None:
        return _unknown("the roadmap has not begun")
    told = [value for value in live.sweeps if value is not None]
    best = f", lowest probability of overfitting {min(told):.2f}" if told else ""
    said = f"{len(live.sweeps)} weight sweeps since {live.start}{best}"
    return _when(bool(told) and min(told) < OVERFITTING, said, overfitting=min(told, default=None))


def sizes_pay(live: Live) -> Found:
    equal, capital = live.equal, live.capital
    missing = _figure(equal, "average return") or _figure(capital, "capital-weighted return")
    if missing or equal is None or capital is None:
        return missing or _unknown("not computed yet")
    if equal.n < FEWEST_SIZED:
        return _unknown(f"{equal.n} trades, {FEWEST_SIZED} are needed", n=equal.n)
    more = (capital.value or 0.0) - (equal.value or 0.0)
    said = (
        f"capital-weighted {(capital.value or 0) * 100:+.1f} %, each alike "
        f"{(equal.value or 0) * 100:+.1f} %: sizing added {more * 100:+.1f} points, n = {equal.n}"
    )
    return _when(more >= 0, said, difference=more, n=equal.n)


def progress_is_monitored(live: Live) -> Found:
    said = f"metrics and summary stored for the {live.monitored} newest sessions in a row"
    return _when(live.monitored >= MONITORED, said, sessions=live.monitored)


def results_are_there(live: Live) -> Found:
    rate, average = live.win_rate, live.equal
    missing = _figure(rate, "win rate") or _figure(average, "average return")
    if missing or rate is None or average is None:
        return missing or _unknown("not computed yet")
    there = (rate.value or 0.0) > WIN_RATE and (average.value or 0.0) > AVERAGE_RETURN
    said = f"win rate {_share(rate)}; average return {_share(average)}; 90 days"
    return _when(there, said, win_rate=rate.value, average_return=average.value)


def _box(key: str, phase: int, title: str, rule: str, predicate: Predicate) -> CheckBox:
    return CheckBox(key=key, phase=phase, title=title, rule=rule, predicate=predicate)


CHECK_BOXES: tuple[CheckBox, ...] = (
    _box("critical_losses", 1, "Liquidate critical loss positions (>25% loss)",
         "no open position is worse than -25 %, and every one has a mark", no_critical_loss),
    _box("size_limits", 1, "Implement emergency position sizing limits",
         "no position of the newest assessment is above the size limit", within_size_limit),
    _box("health_monitoring", 1, "Restore basic system health monitoring",
         "at least eight components were measured within a day and are not unknown",
         health_is_measured),
    _box("pattern_detection", 2, "Restore VIGL pattern detection algorithm",
         "the newest scan is at most one session old and every candidate of it was compared "
         "with VIGL", pattern_is_detected),
    _box("volume_threshold", 2, "Calibrate volume threshold to 20.9x average",
         "the VIGL flag in force asks for 20.9 times the usual volume", volume_is_calibrated),
    _box("price_range", 2, "Focus price range $2.94-$4.66 (VIGL success range)",
         "the VIGL flag in force asks for $2.94 to $4.66, inside the price gate of every active "
         "variant", price_is_focused),
    _box("explosive_candidates", 2, "Target 20%+ explosive candidates daily",
         "at least 20 % of the first signals of 90 days were explosive, for the best active "
         "variant", candidates_explode),
    _box("same_day_entry", 3, "Implement same-day entry system (VIGL baseline)",
         "at least half of the trades of 90 days were bought on the first executable session",
         bought_at_once),
    _box("thesis_retraining", 3, "Retrain thesis generation algorithm",
         "a calibration was fitted on settled theses since the start", theses_are_retrained),
    _box("entry_delay", 3, "Improve timing to <1 day entry delay",
         "the mean entry delay of 90 days is below one session", entry_is_timely),
    _box("thesis_accuracy", 3, "Achieve >70% thesis accuracy",
         "thesis accuracy of 90 days is above 70 %", theses_are_right),
    _box("parameter_tuning", 4, "Fine-tune all system parameters",
         "a weight sweep since the start has a probability of overfitting below 50 %",
         parameters_are_tuned),
    _box("position_sizing", 4, "Optimize position sizing strategy",
         "over at least 20 trades of 90 days the capital-weighted average return is not below "
         "that of all trades alike", sizes_pay),
    _box("monitoring", 4, "Monitor progress vs baseline metrics",
         "metrics and summary are stored for each of the five newest sessions",
         progress_is_monitored),
    _box("results", 4, "Target >60% win rate, >30% avg returns",
         "win rate above 60 % and average return above 30 %, 90 days", results_are_there),
)  # fmt: skip
