"""Stage tracking: what became of every candidate (design §8)."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q

from analytics.models import Candidate, DiscoveryBatch, Source


class OutcomeStatus(models.TextChoices):
    """How far an outcome is known (design §8)."""

    PENDING = "pending", "pending"
    SETTLED = "settled", "settled"
    DELISTED = "delisted", "delisted: settled at its last trade"
    NO_ENTRY = "no_entry", "no entry: no bar or no open on the next session"


class OutcomeClass(models.TextChoices):
    """By the best close within 14 sessions. Never to be called a win (design §8)."""

    EXPLOSIVE = "explosive", "explosive (+50 % or more)"
    STRONG = "strong", "strong (+10 % to +50 %)"
    MODERATE = "moderate", "moderate (0 to +10 %)"
    POOR = "poor", "poor (-10 % to 0)"
    FAILED = "failed", "failed (-10 % or less)"


KNOWN_OUTCOMES = (OutcomeStatus.SETTLED, OutcomeStatus.DELISTED)  # those that rates count


class CandidateTrackingQuerySet(models.QuerySet["CandidateTracking"]):
    def of(self, source: str) -> Self:
        return self.filter(source=source)

    def current(self) -> Self:
        """Trackings of candidates that no later revision has superseded."""
        return self.filter(candidate__batch__is_current=True)

    def known(self) -> Self:
        """Outcomes that count in a rate."""
        return self.filter(status__in=KNOWN_OUTCOMES)

    def first_signals(self) -> Self:
        return self.filter(candidate__first_signal=True)

    def signalled_between(self, first: date, last: date) -> Self:
        return self.filter(candidate__batch__session__range=(first, last))


class CandidateTracking(models.Model):
    """What the price did after one candidate was named (design §8). Returns are fractions.

    The entry is the open of the session after the signal. Horizons that the data
    do not reach yet are null, and the row is brought up to date until it is final.
    """

    candidate = models.OneToOneField(Candidate, models.PROTECT, related_name="tracking")
    status = models.CharField(max_length=10, choices=OutcomeStatus)
    reason = models.CharField(
        max_length=120, blank=True, help_text="why it is pending or had no entry"
    )
    is_final = models.BooleanField(help_text="no later data can change it")
    entry_session = models.DateField(null=True, blank=True)
    entry_price = models.FloatField("entry [USD]", null=True, blank=True)
    entry_gap = models.FloatField("signal close to entry [fraction]", null=True, blank=True)
    return_1 = models.FloatField("return, 1 session [fraction]", null=True, blank=True)
    return_3 = models.FloatField("return, 3 sessions [fraction]", null=True, blank=True)
    return_5 = models.FloatField("return, 5 sessions [fraction]", null=True, blank=True)
    return_7 = models.FloatField("return, 7 sessions [fraction]", null=True, blank=True)
    return_14 = models.FloatField("return, 14 sessions [fraction]", null=True, blank=True)
    return_30 = models.FloatField("return, 30 sessions [fraction]", null=True, blank=True)
    spy_return_1 = models.FloatField("SPY, 1 session [fraction]", null=True, blank=True)
    spy_return_3 = models.FloatField("SPY, 3 sessions [fraction]", null=True, blank=True)
    spy_return_5 = models.FloatField("SPY, 5 sessions [fraction]", null=True, blank=True)
    spy_return_7 = models.FloatField("SPY, 7 sessions [fraction]", null=True, blank=True)
    spy_return_14 = models.FloatField("SPY, 14 sessions [fraction]", null=True, blank=True)
    spy_return_30 = models.FloatField("SPY, 30 sessions [fraction]", null=True, blank=True)
    excess_14 = models.FloatField("return less SPY, 14 sessions [fraction]", null=True, blank=True)
    mfe = models.FloatField(
        "best high, 14 sessions [fraction]",
        null=True,
        blank=True,
        help_text="maximum favourable excursion from the entry",
    )
    mae = models.FloatField(
        "worst low, 14 sessions [fraction]",
        null=True,
        blank=True,
        help_text="maximum adverse excursion from the entry",
    )
    peak_close_return = models.FloatField(
        "best close, 14 sessions [fraction]", null=True, blank=True
    )
    sessions_to_peak = models.PositiveSmallIntegerField(
        "sessions to the best close", null=True, blank=True
    )
    explosive = models.BooleanField(null=True, blank=True, help_text="best close >= +50 %")
    explosive_high = models.BooleanField(null=True, blank=True, help_text="best high >= +50 %")
    explosive_held = models.BooleanField(
        null=True, blank=True, help_text="return after 14 sessions >= +50 %"
    )
    outcome = models.CharField("outcome class", max_length=10, choices=OutcomeClass, blank=True)
    proxy_return_14 = models.FloatField(
        "return from the signal close, 14 sessions [fraction]",
        null=True,
        blank=True,
        help_text="only where there was no entry; in no rate",
    )
    proxy_peak_close_return = models.FloatField(
        "best close from the signal close, 14 sessions [fraction]",
        null=True,
        blank=True,
        help_text="only where there was no entry; in no rate",
    )
    last_trade = models.DateField(
        "last session traded", null=True, blank=True, help_text="of a listing that ended"
    )
    volatility_decile = models.PositiveSmallIntegerField(
        "decile of volatility_20 the session before",
        null=True,
        blank=True,
        help_text="1 (calm) to 10, among the base universe of the session",
    )
    lake_version = models.PositiveIntegerField("version of the bars that were read")
    updated_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = CandidateTrackingQuerySet.as_manager()

    class Meta:
        db_table = "discovery_candidate_tracking"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=OutcomeStatus.values), name="tracking_status_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=[Source.LIVE, Source.IMPORTED, Source.SIMULATED]),
                name="tracking_source_known",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=[*OutcomeClass.values, ""]), name="tracking_outcome_known"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["settled", "delisted"])
                | Q(entry_session__isnull=False, entry_price__isnull=False)
                & Q(return_14__isnull=False, peak_close_return__isnull=False)
                & Q(sessions_to_peak__isnull=False, mfe__isnull=False, mae__isnull=False)
                & Q(explosive__isnull=False, explosive_high__isnull=False)
                & Q(explosive_held__isnull=False)
                & ~Q(outcome=""),
                name="tracking_known_outcome_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["settled", "delisted"])
                | Q(explosive__isnull=True, explosive_high__isnull=True)
                & Q(explosive_held__isnull=True, peak_close_return__isnull=True, outcome=""),
                name="tracking_open_outcome_has_no_class",
            ),
            models.CheckConstraint(
                condition=~Q(status="no_entry")
                | Q(entry_price__isnull=True, return_1__isnull=True, return_14__isnull=True)
                & ~Q(reason=""),
                name="tracking_no_entry_has_no_return",
            ),
            models.CheckConstraint(
                condition=~Q(status="pending") | Q(is_final=False) & ~Q(reason=""),
                name="tracking_pending_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(status="delisted") | Q(last_trade__isnull=False),
                name="tracking_delisted_names_last_trade",
            ),
            models.CheckConstraint(
                condition=Q(entry_price__isnull=True) | Q(entry_price__gt=0),
                name="tracking_entry_above_zero",
            ),
            models.CheckConstraint(
                condition=Q(sessions_to_peak__isnull=True) | Q(sessions_to_peak__range=(1, 14)),
                name="tracking_peak_within_14",
            ),
            models.CheckConstraint(
                condition=Q(volatility_decile__isnull=True) | Q(volatility_decile__range=(1, 10)),
                name="tracking_decile_1_to_10",
            ),
            models.CheckConstraint(
                condition=Q(return_14__isnull=True) | Q(return_14__gte=-1),
                name="tracking_loses_no_more_than_all",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "status"], name="tracking_source_status"),
            models.Index(fields=["source"], condition=Q(is_final=False), name="tracking_not_final"),
        ]

    def __str__(self) -> str:
        return f"{self.candidate_id}: {self.status}"


class BatchAnalysisQuerySet(models.QuerySet["BatchAnalysis"]):
    def of(self, source: str) -> Self:
        return self.filter(source=source)

    def current(self) -> Self:
        return self.filter(batch__is_current=True)

    def complete(self) -> Self:
        return self.filter(is_complete=True)


class BatchAnalysis(models.Model):
    """What hindsight adds to one batch: counts to pool, never rates (design §8).

    "Settled" counts the outcomes that are known: settled and delisted.
    """

    batch = models.OneToOneField(DiscoveryBatch, models.PROTECT, related_name="analysis")
    is_complete = models.BooleanField(help_text="the market is covered for 14 sessions after")
    is_final = models.BooleanField(help_text="no later data can change it")
    candidates = models.PositiveIntegerField()
    settled = models.PositiveIntegerField(help_text="known outcomes, delisted ones included")
    pending = models.PositiveIntegerField()
    no_entry = models.PositiveIntegerField()
    delisted = models.PositiveIntegerField()
    explosive = models.PositiveIntegerField(help_text="best close >= +50 %")
    explosive_held = models.PositiveIntegerField(help_text="return after 14 sessions >= +50 %")
    positive_14 = models.PositiveIntegerField("up after 14 sessions")
    sum_return_14 = models.FloatField("sum of returns, 14 sessions [fraction]")
    first_settled = models.PositiveIntegerField(help_text="first signals only")
    first_explosive = models.PositiveIntegerField(help_text="first signals only")
    first_positive_14 = models.PositiveIntegerField(help_text="first signals only")
    first_sum_return_14 = models.FloatField(
        "sum of returns, 14 sessions [fraction]", help_text="first signals only"
    )
    base_n = models.PositiveIntegerField("base universe", help_text="with a known outcome")
    base_explosive = models.PositiveIntegerField()
    base_positive_14 = models.PositiveIntegerField()
    by_decile = models.JSONField(
        default=list,
        help_text="for each decile of volatility_20 the session before: settled, explosive, "
        "first settled, first explosive, base, base explosive",
    )
    gate_n = models.PositiveIntegerField("passed the gates", help_text="with a known outcome")
    gate_explosive = models.PositiveIntegerField()
    gate_positive_14 = models.PositiveIntegerField()
    gate_coverage = models.FloatField(null=True, blank=True, help_text="mean of those that passed")
    best = models.JSONField(
        default=list, help_text="best three of those that passed, by hindsight: symbol, best close"
    )
    best_n = models.PositiveSmallIntegerField()
    best_explosive = models.PositiveSmallIntegerField()
    best_positive_14 = models.PositiveSmallIntegerField()
    best_coverage = models.FloatField(null=True, blank=True, help_text="mean of the best three")
    winner_days = models.PositiveIntegerField(
        "explosive stock-days", help_text="listed common stocks"
    )
    winner_days_captured = models.PositiveIntegerField("of them, candidates")
    episodes = models.PositiveIntegerField("winner episodes that began")
    episodes_captured = models.PositiveIntegerField("of them, captured")
    episodes_captured_at_random = models.FloatField(
        "expected of a random draw", help_text="as many rows drawn from those that passed"
    )
    episodes_captured_by_best = models.PositiveIntegerField("by the best three")
    mean_coverage = models.FloatField(null=True, blank=True, help_text="of the candidates")
    lake_version = models.PositiveIntegerField("version of the bars that were read")
    updated_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = BatchAnalysisQuerySet.as_manager()

    class Meta:
        db_table = "discovery_batch_analysis"
        verbose_name_plural = "batch analyses"
        constraints = [
            models.CheckConstraint(
                condition=Q(source__in=[Source.LIVE, Source.IMPORTED, Source.SIMULATED]),
                name="analysis_source_known",
            ),
            models.CheckConstraint(
                condition=Q(candidates=F("settled") + F("pending") + F("no_entry")),
                name="analysis_counts_add_up",
            ),
            models.CheckConstraint(
                condition=Q(explosive__lte=F("settled"), positive_14__lte=F("settled"))
                & Q(explosive_held__lte=F("explosive"), delisted__lte=F("settled"))
                & Q(first_settled__lte=F("settled"), first_explosive__lte=F("first_settled"))
                & Q(first_positive_14__lte=F("first_settled")),
                name="analysis_parts_fit_the_whole",
            ),
            models.CheckConstraint(
                condition=Q(base_explosive__lte=F("base_n"), base_positive_14__lte=F("base_n")),
                name="analysis_base_fits",
            ),
            models.CheckConstraint(
                condition=Q(gate_explosive__lte=F("gate_n"), gate_positive_14__lte=F("gate_n")),
                name="analysis_gate_fits",
            ),
            models.CheckConstraint(
                condition=Q(best_n__lte=3, best_explosive__lte=F("best_n"))
                & Q(best_positive_14__lte=F("best_n")),
                name="analysis_best_fits",
            ),
            models.CheckConstraint(
                condition=Q(winner_days_captured__lte=F("winner_days"))
                & Q(episodes_captured__lte=F("episodes"))
                & Q(episodes_captured_by_best__lte=F("episodes"))
                & Q(episodes_captured_at_random__gte=0),
                name="analysis_capture_fits",
            ),
            models.CheckConstraint(
                condition=Q(is_complete=False) | Q(pending=0), name="analysis_complete_when_settled"
            ),
        ]
        indexes = [  # what a stored history was pooled from is asked for by every request
            models.Index(
                fields=["source", "is_complete", "batch", "updated_at"], name="analysis_mark"
            )
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.settled} of {self.candidates} settled"
