"""The tables of a detector report, as text: what the document and the page both show."""

from dataclasses import dataclass

from analytics.calc import figures
from analytics.calc.detector_report_words import chance, combination, shown, shown_times
from analytics.calc.documents import Document

SPANS = ("before", "common", "untouched")  # scopes whose exits are shown in full


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table.

    Attributes:
        title: Its heading.
        about: How to read it; may be empty.
        columns: Headings.
        rows: Cells, as many a row as there are columns.
        leading: Columns that name the row.
    """

    title: str
    about: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    leading: int = 2


def tables(result: Document) -> list[Table]:
    """Return every table.

    Args:
        result: See :func:`analytics.calc.detector_report.report`.
    """
    found = [_verdict(result), _precision(result), _recall(result), *_calibration(result)]
    found += [_exits(scope) for scope in result["scopes"] if scope["key"] in SPANS]
    return found + [_by_year(result, name) for name in result["lists"]]


def _verdict(result: Document) -> Table:
    year = result["untouched_year"]
    rows = [
        [
            combination(row),
            shown(row["mean_net"]),
            ", ".join(
                each
                for each, value in row["years"].items()
                if value is not None and value > 0 and int(each) < year
            )
            or "none",
            chance(row["chance"]["alone"]),
            chance(row["chance"]["of_report"]),
            chance(row["chance"]["of_ledger"]),
            shown(row["untouched"]),
        ]
        for row in result["verdict"]
    ]
    return Table(
        title=f"Every combination, best first by the years before {year}",
        about=(
            "Mean net return of a trade. Luck: the probability that a combination without any "
            "edge looks at least this good, alone; that the best of those tried in this report "
            f"does ({result['combinations']}); that the best of all on record "
            f"does ({result['ledger']:,} trials: the ledger, and designs tried before it), taken "
            "as independent."
        ),
        columns=(
            "combination", f"mean net before {year}", "years above zero", "luck, alone",
            "luck, this report", "luck, all on record", f"{year}, untouched",
        ),
        rows=rows,
        leading=1,
    )  # fmt: skip


def _each(result: Document) -> list[tuple[Document, str, Document]]:
    """Return every scope and variant: scope, name, figures."""
    return [
        (scope, name, own)
        for scope in result["scopes"]
        for name, own in scope["variants"].items()
        if own["candidates"]
    ]


def _precision(result: Document) -> Table:
    rows = [
        [
            scope["title"],
            name,
            figures.count(own["candidates"]),
            *(shown(own["precision"][top]) for top in ("5", "10", "20", "all")),
            shown(own["base"]),
            shown_times(own["lift"]["10"]),
            *(shown_times(own["matched_lift"][top]) for top in ("5", "10", "20")),
        ]
        for scope, name, own in _each(result)
    ]
    return Table(
        title="Precision: explosive within 14 sessions",
        about=(
            "Best close of 14 sessions at least 50 % over the next open, of the first 5, 10, 20 "
            "and of all listed. Lift: over the base universe of the same sessions; matched: over "
            "stocks of the same decile of volatility."
        ),
        columns=(
            "sessions", "variant", "candidates", "first 5", "first 10", "first 20", "all", "base",
            "lift, first 10", "matched, first 5", "matched, first 10", "matched, first 20",
        ),
        rows=rows,
    )  # fmt: skip


def _recall(result: Document) -> Table:
    rows = [
        [
            scope["title"],
            name,
            shown(own["recall"]["10"]["stock_days"], digits=2),
            shown(own["recall"]["all"]["stock_days"], digits=2),
            shown(own["recall"]["10"]["episodes"]),
            shown(own["recall"]["all"]["episodes"]),
            shown(own["recall"]["10"]["doubled_episodes"]),
            shown(own["recall"]["all"]["doubled_episodes"]),
        ]
        for scope, name, own in _each(result)
    ]
    return Table(
        title="Recall: how much of what rose was listed",
        about=(
            "Of all explosive stock-days of listed common stock, whatever their price, and of "
            "their episodes of +50 % and +100 %; by the first 10 and by all listed. Variants "
            "are comparable where they list as much: compare them in the common sessions."
        ),
        columns=(
            "sessions", "variant", "stock-days, first 10", "stock-days, all",
            "+50 % episodes, first 10", "+50 % episodes, all", "+100 % episodes, first 10",
            "+100 % episodes, all",
        ),
        rows=rows,
    )  # fmt: skip


def _calibration(result: Document) -> list[Table]:
    """Return the calibration curve of each variant that gives a probability."""
    rows = [
        [
            scope["title"],
            name,
            figures.percent(part["forecast"]),
            shown(part["observed"]),
            figures.percent(own["calibration"]["error"], 2),
        ]
        for scope, name, own in _each(result)
        if own["calibration"] and scope["key"] in ("before", "untouched")
        for part in own["calibration"]["bins"]
    ]
    if not rows:
        return []
    return [
        Table(
            title="Calibration: what was forecast, what came",
            about=(
                "Listed stock-days in ten parts of equal size by their forecast. Calibration "
                "error: mean distance of the two, weighted by n."
            ),
            columns=("sessions", "variant", "mean forecast", "observed", "calibration error"),
            rows=rows,
        )
    ]


def _exits(scope: Document) -> Table:
    rows = [
        [
            name,
            found["list"],
            found["rule"],
            figures.count(found["n"]),
            shown(found["mean_net"]),
            shown(found["median_net"]),
            shown(found["mean_gross"]),
            shown(found["over_hold"]) if found["over_hold"] else figures.MISSING,
            shown(found["mean_net_at_stake"]),
            figures.large_money(found["median_capacity_usd"]),
            figures.number(found["mean_sessions_held"]),
        ]
        for name, own in scope["variants"].items()
        if own["candidates"]
        for found in own["exits"]
    ]
    return Table(
        title=f"Exit rules: {scope['title']}",
        about=(
            "Return of a trade from the next open. Net: after 50 bp a side, and at least one cent "
            "a share (1 % at $1). Over hold: difference to holding, the same trades. At $10,000: "
            "orders cut to 5 % of the volume of each session, the rest in cash."
        ),
        columns=(
            "variant", "list", "rule", "n", "mean net", "median net", "mean before costs",
            "over hold", "mean net at $10,000", "median capacity", "sessions held",
        ),
        rows=rows,
        leading=3,
    )  # fmt: skip


def _by_year(result: Document, listed: str) -> Table:
    names = result["variants"]
    rows = []
    for scope in result["scopes"]:
        if not scope["key"].isdigit():
            continue
        found = {
            name: [each for each in scope["variants"][name]["exits"] if each["list"] == listed]
            for name in names
        }
        for at, rule in enumerate(result["rules"]):
            cells = [
                shown(found[name][at][figure])
                for name in names
                for figure in ("mean_net", "median_net")
            ]
            rows.append([scope["title"], rule, *cells])
    headings = [f"{name}, {figure} net" for name in names for figure in ("mean", "median")]
    return Table(
        title=f"Net return by year: {listed}",
        about="Mean and median net return of a trade.",
        columns=("year", "rule", *headings),
        rows=rows,
    )
