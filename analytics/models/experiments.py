"""Stage experiments: backtests, the ledger of trials, certificates, audited claims (§2, §16)."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from analytics.models.baseline import Baseline
from analytics.models.discovery import Variant
from analytics.models.jobs import JobRun
from analytics.models.market import Source

MEASURED = (Source.LIVE, Source.IMPORTED, Source.SIMULATED)


class BacktestRunQuerySet(models.QuerySet["BacktestRun"]):
    def beside(self, sources: tuple[str, ...]) -> Self:
        return self.filter(source__in=sources)

    def newest_first(self) -> Self:
        return self.order_by("-finished_at", "-pk")


class BacktestRun(models.Model):
    """One finished backtest. Written once; the same data and terms give the same digest."""

    first = models.DateField()
    last = models.DateField()
    parameters = models.JSONField(help_text="terms of trading, rules of each variant")
    result = models.JSONField(help_text="figures, equity and years of each variant")
    deflation = models.JSONField(
        default=dict, help_text="deflated Sharpe ratio by variant, at the ledger of that moment"
    )
    winners = models.JSONField(default=list, help_text="what was made of each historical winner")
    digest = models.CharField(max_length=32, help_text="of parameters, result and winners")
    lake_versions = models.JSONField(default=dict)
    code_revision = models.CharField(max_length=64)
    job = models.ForeignKey(
        JobRun, models.SET_NULL, null=True, blank=True, related_name="backtests"
    )
    seconds = models.FloatField("run time [s]")
    created_at = models.DateTimeField("started")
    finished_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = BacktestRunQuerySet.as_manager()

    class Meta:
        verbose_name = "backtest"
        constraints = [
            models.CheckConstraint(condition=Q(last__gte=F("first")), name="backtest_in_order"),
            models.CheckConstraint(
                condition=Q(finished_at__gte=F("created_at")), name="backtest_ends_after_it_begins"
            ),
            models.CheckConstraint(condition=Q(source__in=MEASURED), name="backtest_source_known"),
        ]
        indexes = [models.Index(fields=["source", "-finished_at"], name="backtest_newest")]
        permissions = [("run_backtest", "Can run backtests")]

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


class TrialQuerySet(models.QuerySet["Trial"]):
    def beside(self, sources: tuple[str, ...]) -> Self:
        return self.filter(source__in=sources)


class Trial(models.Model):
    """One look at history with one set of rules. The more looks, the less the best one says."""

    run = models.ForeignKey(
        BacktestRun, models.PROTECT, null=True, blank=True, related_name="trials"
    )
    variant = models.ForeignKey(
        Variant, models.PROTECT, null=True, blank=True, related_name="trials"
    )
    key = models.CharField(
        max_length=32, help_text="digest of rules, terms, period and source: repeats count once"
    )
    sharpe = models.FloatField("Sharpe ratio per session", null=True, blank=True)
    sessions = models.PositiveIntegerField("sessions of returns")
    returns = models.JSONField(default=dict, help_text="of the portfolio, by session")
    created_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = TrialQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(source__in=MEASURED), name="trial_source_known"),
            models.UniqueConstraint(fields=["run", "variant"], name="trial_one_per_run_variant"),
        ]
        indexes = [models.Index(fields=["key"], name="trial_key")]

    def __str__(self) -> str:
        return f"{self.variant} in {self.run}"


class LookaheadCertificate(models.Model):
    """What recomputing sampled stock-days from truncated inputs found (design §16)."""

    first = models.DateField("first session sampled")
    last = models.DateField("last session sampled")
    sessions = models.PositiveIntegerField("sessions sampled")
    stock_days = models.PositiveIntegerField("stock-days compared")
    values = models.PositiveBigIntegerField("values compared")
    differences = models.PositiveBigIntegerField()
    examples = models.JSONField(default=list, help_text="the first differences")
    leaks = models.JSONField(default=dict, help_text="planted leak: differences that it caused")
    leaks_planted = models.PositiveSmallIntegerField()
    leaks_caught = models.PositiveSmallIntegerField()
    passed = models.BooleanField(help_text="no difference, and every planted leak was caught")
    seed = models.PositiveIntegerField()
    lake_versions = models.JSONField(default=dict)
    code_revision = models.CharField(max_length=64)
    job = models.ForeignKey(JobRun, models.SET_NULL, null=True, blank=True, related_name="+")
    seconds = models.FloatField("run time [s]")
    created_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        verbose_name = "look-ahead certificate"
        constraints = [
            models.CheckConstraint(
                condition=Q(passed=False)
                | Q(differences=0, leaks_caught=F("leaks_planted"), stock_days__gt=0),
                name="certificate_passes_only_without_a_difference",
            ),
            models.CheckConstraint(
                condition=Q(leaks_caught__lte=F("leaks_planted")),
                name="certificate_catches_what_was_planted",
            ),
            models.CheckConstraint(
                condition=Q(source__in=MEASURED), name="certificate_source_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{'passed' if self.passed else 'FAILED'}, {self.stock_days:,} stock-days"


class Verdict(models.TextChoices):
    """What the data here say of a claim (design §2)."""

    VERIFIED = "verified", "verified"
    PLAUSIBLE = "plausible", "plausible"
    IMPOSSIBLE = "impossible", "impossible"
    UNVERIFIABLE = "unverifiable", "unverifiable"


class ClaimAudit(models.Model):
    """One claimed performance, checked item by item. A new check is a new audit."""

    title = models.CharField(max_length=120)
    baseline = models.ForeignKey(
        Baseline, models.SET_NULL, null=True, blank=True, related_name="audits"
    )
    digest = models.CharField(max_length=32, help_text="of what was claimed")
    lake_versions = models.JSONField(default=dict)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    source = models.CharField("checked against", max_length=12, choices=Source)

    class Meta:
        permissions = [("audit_claims", "Can have claims audited")]
        indexes = [models.Index(fields=["-created_at"], name="claim_audit_newest")]

    def __str__(self) -> str:
        return self.title


class ClaimItem(models.Model):
    """One claim of an audit: the verdict and the line of evidence for it."""

    audit = models.ForeignKey(ClaimAudit, models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField("check", max_length=16, help_text="arithmetic, sampling or market")
    subject = models.CharField(max_length=40)
    claim = models.CharField(max_length=200)
    verdict = models.CharField(max_length=12, choices=Verdict)
    evidence = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["audit", "position"], name="claim_item_once"),
            models.CheckConstraint(
                condition=Q(verdict__in=Verdict.values), name="claim_verdict_known"
            ),
            models.CheckConstraint(condition=~Q(evidence=""), name="claim_verdict_has_evidence"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.verdict}"
