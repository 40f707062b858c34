"""Admin of the candidates: every pick with everything that was known of it."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from analytics.admin import columns, filters
from analytics.admin.pages import ReadOnlyAdmin
from analytics.admin.thesis_records import HasThesesWritten
from analytics.models import Candidate, Pattern
from analytics.services import filings, similarity_evidence

PATTERN_COLOURS = {Pattern.VIGL_SQUEEZE: "success", Pattern.STANDARD: "info"}
BY_CONSTRUCTION, PARTIAL = "by construction", "partial"
FULL_COVERAGE = 0.7  # of the similarity's fields; below it is labelled partial (design §6)
LABELS = (
    *((name, name) for name in ("top 1 %", "top 5 %", "top 20 %", "rest")),
    (filters.BLANK, "none: too little history"),
)


def anatomy(candidate: Candidate) -> list[dict[str, Any]]:
    """Return the score's parts: component, weight, value, what it adds to the score (design §5).

    Of a learned variant, what each feature adds to the log-odds (design §17).
    """
    if candidate.contributions:
        return _contributions(candidate)
    components, weights = candidate.components, candidate.batch.variant.weights
    dropped = set(candidate.batch.dropped_components or [])
    known = sum(weights[name] for name, value in components.items() if value is not None)
    rows = []
    for name, value in components.items():
        weight = weights[name]
        adds = 100 * weight * value / known if value is not None and known and weight else None
        why = "missing for the whole batch" if name in dropped else "unknown"
        note = "not in this variant" if not weight else (why if value is None else "")
        rows.append(
            {
                "component": name.replace("_", " "),
                "weight": weight,
                "value": value,
                "adds": adds,
                "note": note,
            }
        )
    return rows


def _contributions(candidate: Candidate) -> list[dict[str, Any]]:
    """Return the parts of the calibrated log-odds, the largest first; they add up to it."""
    return [
        {
            "component": name.replace("_", " "),
            "weight": 1.0,
            "value": getattr(candidate, name, None),
            "adds": adds,
            "note": "to the log-odds" if name != "base" else "what every stock has",
        }
        for name, adds in candidate.contributions.items()
    ]


def likeness(candidate: Candidate) -> list[dict[str, Any]]:
    """Return the similarity to every reference, the likest first; a self-match is labelled."""
    rows = []
    for symbol, similarity in candidate.similarities.items():
        known = candidate.similarity_coverage if symbol == candidate.similarity_to else None
        partial = PARTIAL if known is not None and known < FULL_COVERAGE else ""
        rows.append(
            {
                "reference": symbol,
                "similarity": similarity,
                "coverage": known,
                "note": BY_CONSTRUCTION if symbol == candidate.symbol else partial,
            }
        )
    return sorted(rows, key=lambda row: row["similarity"] or 0, reverse=True)


@admin.register(Candidate)
class CandidateAdmin(HasThesesWritten, ReadOnlyAdmin):
    compressed_fields = False
    date_hierarchy = "batch__session"
    sections = (
        (
            None,
            (
                (
                    columns.symbol(),
                    columns.day("batch__session", "session"),
                    "batch_link",
                    columns.source("batch__source"),
                ),
                (
                    columns.count("rank", "rank"),
                    columns.choice("pattern", "pattern", Pattern, PATTERN_COLOURS),
                    columns.plain("label", "label"),
                    "outcome_link",
                ),
                (
                    columns.percent("history_share", "past stock-days scoring this"),
                    columns.count("history_n", "past stock-days"),
                    "explain_link",
                ),
            ),
        ),
        (
            "Flags",
            (
                (
                    columns.yes("volume_alert", "volume 15x or more"),
                    columns.yes("vigl_pattern", "VIGL pattern"),
                    columns.yes("short_fuel", "short interest over 10 %"),
                    columns.yes("first_signal", "first signal in 14"),
                ),
            ),
        ),
        (
            "Price and volume",
            (
                (
                    columns.money("close", "close"),
                    columns.large("volume", "volume [shares]"),
                    columns.times("rel_volume", "over 20-session mean"),
                    columns.large_money("dollar_volume_20", "20-session dollar volume"),
                ),
                (
                    columns.change("ret_1", "return, 1 session"),
                    columns.change("ret_5", "return, 5 sessions"),
                    columns.change("ret_20", "return, 20 sessions"),
                    columns.change("gap", "gap at the open"),
                ),
                (
                    columns.percent("close_location", "close within day's range"),
                    columns.percent("atr_pct_14", "average true range, 14"),
                    columns.change("breakout_20", "against 20-session high"),
                    columns.percent("volatility_20", "daily volatility, 20"),
                ),
                columns.times("accumulation_5", "5- over 20-session volume"),
            ),
        ),
        (
            "Float and shorts",
            (
                (
                    columns.large("float_shares", "float [shares]"),
                    columns.plain("float_basis", "basis of the float"),
                    columns.count("float_age", "age of float [sessions]"),
                ),
                (
                    columns.percent("short_interest_pct", "short interest of float"),
                    columns.count("short_interest_age", "sessions since settlement"),
                    columns.number("days_to_cover", "days to cover"),
                ),
                (
                    columns.percent("short_volume_ratio", "short share of volume"),
                    columns.number("sentiment", "sentiment [-1 to 1]"),
                ),
            ),
        ),
    )
    list_display = (
        "symbol",
        columns.day("batch__session", "session"),
        "batch_link",
        columns.count("rank", "rank"),
        columns.number("score", "score"),
        columns.choice("pattern", "pattern", Pattern, PATTERN_COLOURS),
        columns.plain("label", "label"),
        columns.money("close", "close"),
        columns.times("rel_volume", "volume"),
        columns.change("ret_1", "1 session"),
        columns.large("float_shares", "float"),
        columns.percent("short_interest_pct", "short interest"),
        columns.number("similarity", "similarity"),
        "outcome_link",
        columns.source("batch__source"),
    )
    list_filter = (
        filters.origin("batch__source"),
        "pattern",
        "batch__variant",
        filters.ordered("label", "label", LABELS),
        "volume_alert",
        "vigl_pattern",
        filters.titled("short fuel", "short_fuel"),
        "first_signal",
        "batch__is_current",
    )
    list_select_related = ("batch__variant",)
    ordering = ("-batch__session", "batch__variant", "rank", "pk")
    search_fields = ("=symbol",)
    source_path = "batch__source"
    story_template = "analytics/partials/candidate_story.html"
    export_fields = (
        "batch__session",
        "batch__variant__name",
        "batch__variant__version",
        *(f.attname for f in Candidate._meta.concrete_fields if f.name != "similarities"),
        "batch__is_current",
        "batch__source",
    )

    @admin.display(description="batch", ordering="batch__variant__name")
    def batch_link(self, candidate: Candidate) -> SafeString:
        url = columns.page_url("analytics_discoverybatch", candidate.batch_id)
        return columns.link(url, candidate.batch.variant)

    @admin.display(description="outcome")
    def outcome_link(self, candidate: Candidate) -> SafeString:
        url = columns.list_url(
            "performance_candidatetracking", origin="all", candidate__id__exact=candidate.pk
        )
        return columns.link(url, "outcome")

    @admin.display(description="every gate")
    def explain_link(self, candidate: Candidate) -> SafeString:
        asked: dict[str, Any] = {"symbol": candidate.symbol, "session": candidate.batch.session}
        query = urlencode(asked | {"source": candidate.batch.source})
        return columns.link(f"{reverse('analytics:explain')}?{query}", "explain (JSON)")

    def story(self, row: Any) -> dict[str, Any]:
        return {
            "candidate": row,
            "anatomy": anatomy(row),
            "likeness": likeness(row),
            "evidence": similarity_evidence.get_evidence(candidate=row),
            "outcome_link": self.outcome_link(row),
            "event": row.batch.volume_event,
            "notices": filings.get_flags(
                symbol=row.symbol, session=row.batch.session, source=row.batch.source
            ),
        }
