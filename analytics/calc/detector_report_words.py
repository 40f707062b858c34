"""What a detector report comes to, in sentences: made of its figures, never typed in by hand."""

from collections.abc import Sequence

from analytics.calc import figures
from analytics.calc.documents import Document
from analytics.calc.learned_facts import LAST_CHOSEN_ON, LEARNED

RULES = "B"  # the hand-weighted variant that the learned one is compared with
SURE = 0.05  # chance of luck below which a combination counts as an edge (design §1: level 0.95)


def shown(estimate: Document, *, digits: int = 1) -> str:
    """Return a share with its interval and n: "4.7 % [3.9, 5.6], n 12,345"."""
    return _shown(estimate, scale=100.0, unit=" %", digits=digits)


def shown_times(estimate: Document) -> str:
    """Return a multiple in the same way: "1.32x [1.18, 1.47], n 12,345"."""
    return _shown(estimate, scale=1.0, unit="x", digits=2)


def _shown(found: Document, *, scale: float, unit: str, digits: int) -> str:
    if found["value"] is None:
        return f"insufficient data ({found['reason']})"
    text = f"{found['value'] * scale:.{digits}f}{unit}"
    if found["low"] is None or found["high"] is None:
        return f"{text}, n {found['n']:,}"
    low, high = (found[end] * scale for end in ("low", "high"))
    return f"{text} [{low:.{digits}f}, {high:.{digits}f}], n {found['n']:,}"


def chance(value: float | None) -> str:
    """Return a probability as a person reads it."""
    if value is None:
        return figures.MISSING
    if value > 0.999:
        return "over 99.9 %"
    return "under 0.1 %" if value < 0.001 else figures.percent(value)


def combination(row: Document) -> str:
    """Return the name of a combination: "B, first 10, trailing 15 %"."""
    return f"{row['variant']}, {row['list']}, {row['rule']}"


def sentences(result: Document) -> list[str]:
    """Return the plain statement: did anything make money, when, and how sure is that.

    Args:
        result: See :func:`analytics.calc.detector_report.report`.
    """
    rows = result["verdict"]
    said = [f"Variant {name}: {reason}." for name, reason in result["missing"].items()]
    said += [_against_rules(scope) for scope in _compared(result)]
    if LEARNED in result["variants"]:
        said.append(_choice_of_design())
    if not rows:
        return [*said, "There are too few settled entries before the last year to say anything."]
    gained = [row for row in rows if row["mean_net"]["value"] > 0]
    sure = [row for row in gained if (row["chance"]["of_ledger"] or 1) < SURE]
    alone = [row for row in gained if (row["mean_net"]["low"] or 0) > 0]
    year = result["untouched_year"]
    said.append(
        f"Of {len(rows)} combinations of variant, list and exit rule, {len(gained)} had a mean net "
        f"return above zero over the years before {year}; {len(alone)} of them with its interval "
        f"above zero, and {len(sure)} that are unlikely to be the luck of so many tries "
        f"({result['combinations']} in this report, {result['ledger']:,} on record in all)."
    )
    said += [_best(rows[0], result), _years(rows, year), _untouched(rows, year)]
    return [*said, _conclusion(gained, sure, rows, year)]


def _years(rows: Sequence[Document], year: int) -> str:
    counts = {
        each: sum((row["years"][each] or 0) > 0 for row in rows)
        for each in rows[0]["years"]
        if int(each) < year
    }
    told = ", ".join(f"{count} in {each}" for each, count in counts.items())
    return f"Year by year, of {len(rows)} combinations these were above zero: {told}."


def _choice_of_design() -> str:
    return (
        f"Every fit of {LEARNED} saw only what had settled before the sessions it scores; its "
        f"design (features, form, strength) was chosen by looking at sessions up to "
        f"{LAST_CHOSEN_ON}, so that only later ones are clean of every choice."
    )


def _compared(result: Document) -> list[Document]:
    """Return the scopes in which a learned variant stands beside B on the same sessions."""
    scopes = {scope["key"]: scope for scope in result["scopes"]}
    if not {LEARNED, RULES} <= set(result["variants"]):
        return []
    before = scopes.get("common") or scopes.get("before")
    return [scope for scope in (before, scopes.get("untouched")) if scope]


def _against_rules(scope: Document) -> str:
    """Say how far the learned variant got against what was hoped for of it."""
    own, rules = scope["variants"][LEARNED], scope["variants"][RULES]
    error = own["calibration"]["error"] if own["calibration"] else None
    recall = [each["recall"]["10"]["doubled_episodes"] for each in (own, rules)]
    return (
        f"{scope['title'].capitalize()}: of the first 10 of {LEARNED} "
        f"{shown(own['precision']['10'])} were explosive, "
        f"{_ratio(own['precision']['10'], own['base'])} the base rate (hoped for: 4x) and "
        f"{_ratio(own['precision']['10'], rules['precision']['10'])} that of {RULES} (1.5x); they "
        f"held {shown(recall[0])} of the +100 % episodes, {_ratio(*recall)} as many as {RULES}'s "
        f"(1.5x); calibration error {figures.percent(error, 2)} (under 2 %)."
    )


def _ratio(one: Document, other: Document) -> str:
    if one["value"] is None or not other["value"]:
        return figures.MISSING
    return f"{one['value'] / other['value']:.2f}x"


def _best(row: Document, result: Document) -> str:
    gained = [year for year, value in row["years"].items() if value is not None and value > 0]
    gained = [each for each in gained if int(each) < result["untouched_year"]]
    when = f"above zero in {', '.join(gained)}" if gained else "above zero in no year"
    return (
        f"The best is {combination(row)}: {shown(row['mean_net'])} a trade after costs; {when}. "
        f"A combination without any edge would look this good with a probability of "
        f"{chance(row['chance']['alone'])}, the best of those tried here with "
        f"{chance(row['chance']['of_report'])}, the best of all on record with "
        f"{chance(row['chance']['of_ledger'])}."
    )


def _untouched(rows: Sequence[Document], year: int) -> str:
    gained = [row for row in rows if (row["untouched"]["value"] or 0) > 0]
    told = f"In {year}, which no choice had seen, that one came to {shown(rows[0]['untouched'])}"
    if not gained:
        return f"{told}; no combination was above zero."
    best = max(gained, key=lambda row: row["untouched"]["value"])
    return (
        f"{told}; {len(gained)} of {len(rows)} were above zero, the highest "
        f"{combination(best)} with {shown(best['untouched'])} (found by looking at that year: "
        f"no forecast)."
    )


def _conclusion(
    gained: Sequence[Document], sure: Sequence[Document], rows: Sequence[Document], year: int
) -> str:
    if not gained:
        worst = sum((row["mean_net"]["high"] or 0) < 0 for row in rows)
        return (
            f"So no combination made money after costs out of sample; for {worst} of {len(rows)} "
            f"even the upper end of the interval is a loss."
        )
    kept = [row for row in sure if (row["untouched"]["value"] or 0) > 0]
    if kept:
        names = "; ".join(combination(row) for row in kept)
        return f"So there is evidence of an edge that {year} did not refute, in: {names}."
    return (
        "So nothing here is evidence of an edge: what made money before is what luck would make, "
        f"or did not hold in {year}."
    )
