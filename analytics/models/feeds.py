"""Stage market: how far each provider's data has come, what is held back, what is filed."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from analytics.models.market import Source


class DataSet(models.TextChoices):
    """What is asked of a provider."""

    BARS = "bars", "daily bars"
    SYMBOLS = "symbols", "securities"
    SPLITS = "splits", "splits"
    SHORT_INTEREST = "short_interest", "short interest"
    SHORT_VOLUME = "short_volume", "short volume"
    FLOAT = "float", "public float"
    SHARES = "shares", "shares outstanding"
    SENTIMENT = "sentiment", "news sentiment"
    SNAPSHOT = "snapshot", "session under way"
    FILINGS = "filings", "SEC filings"
    HALTS = "halts", "trading halts"


class DataSetState(models.Model):
    """What came of asking for a data set the last time."""

    class State(models.TextChoices):
        CURRENT = "current", "up to date"
        NO_KEY = "no_key", "no key"
        NOT_IN_PLAN = "not_in_plan", "not in the plan"
        TOO_OLD = "too_old", "too old for the plan"
        NOT_PUBLISHED = "not_published", "not published yet"
        UNAUTHORIZED = "unauthorized", "key refused"
        UNAVAILABLE = "unavailable", "provider does not answer"
        REFUSED = "refused", "answer of no use"

    data_set = models.CharField(max_length=16, choices=DataSet, unique=True)
    provider = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=16, choices=State)
    detail = models.CharField(max_length=300, blank=True)
    newest = models.DateField("newest day stored", null=True, blank=True)
    plan_from = models.DateField(
        "oldest day the plan gives",
        null=True,
        blank=True,
        help_text="found by asking; blank: no limit met yet",
    )
    checked_at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(data_set__in=DataSet.values), name="data_set_state_set_known"
            ),
        ]
        permissions = [("sync_market_data", "Can fetch market data")]

    def __str__(self) -> str:
        return self.get_data_set_display()


class HeldSessionQuerySet(models.QuerySet["HeldSession"]):
    def standing(self) -> Self:
        """Neither replaced by good data nor let through by a person."""
        return self.filter(resolved_at__isnull=True)


class HeldSession(models.Model):
    """A session whose data failed a hard gate: discovery publishes no batch on it."""

    session = models.DateField()
    gate = models.CharField(max_length=32)
    reason = models.CharField(max_length=300)
    provider = models.CharField(max_length=20, blank=True)
    held_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=300, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="who let the data through as they are",
    )
    source = models.CharField(max_length=12, choices=Source)

    objects = HeldSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "source"],
                condition=Q(resolved_at__isnull=True),
                name="held_session_one_standing",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, resolution="")
                | Q(resolved_at__isnull=False) & ~Q(resolution=""),
                name="held_session_resolution_says_how",
            ),
        ]
        indexes = [models.Index(fields=["-session"], name="held_session_newest")]
        permissions = [("accept_heldsession", "Can let held data through")]

    def __str__(self) -> str:
        return f"{self.session}: {self.gate}"


class FilingKind(models.TextChoices):
    """Forms that speak of new shares, and the one that speaks of everything else."""

    PROSPECTUS = "424B", "424B (shares are being sold)"
    S1 = "S-1", "S-1 (registration)"
    S3 = "S-3", "S-3 (shelf registration)"
    F3 = "F-3", "F-3 (shelf registration, foreign)"
    EVENT = "8-K", "8-K (material event)"


class FilingQuerySet(models.QuerySet["Filing"]):
    def dilutive(self) -> Self:
        return self.exclude(kind=FilingKind.EVENT)


class Filing(models.Model):
    """A filing with the SEC that may mean more shares; known from its acceptance on."""

    accession = models.CharField(max_length=25)
    symbol = models.CharField(max_length=16)
    cik = models.CharField("CIK", max_length=10)
    kind = models.CharField(max_length=8, choices=FilingKind)
    form = models.CharField(max_length=20, help_text="as filed, e.g. 424B5 or S-3/A")
    accepted_at = models.DateTimeField(help_text="when it became public")
    url = models.URLField(max_length=300, blank=True)
    fetched_at = models.DateTimeField()

    objects = FilingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["accession", "symbol"], name="filing_once_per_symbol"),
            models.CheckConstraint(
                condition=Q(kind__in=FilingKind.values), name="filing_kind_known"
            ),
        ]
        indexes = [models.Index(fields=["symbol", "accepted_at"], name="filing_symbol_accepted")]

    def __str__(self) -> str:
        return f"{self.symbol} {self.form}"


class Halt(models.Model):
    """Trading in a stock was stopped; known from that moment on."""

    symbol = models.CharField(max_length=16)
    reason = models.CharField(max_length=12, help_text="code of the exchange, e.g. T1 or LUDP")
    market = models.CharField(max_length=20, blank=True)
    halted_at = models.DateTimeField()
    resumes_at = models.DateTimeField(null=True, blank=True, help_text="blank: not known")
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["symbol", "halted_at"], name="halt_once_per_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.reason}"


class LiveQuote(models.Model):
    """What a stock has done so far in a session under way. Provisional; no batch reads it."""

    symbol = models.CharField(max_length=16, unique=True)
    session = models.DateField()
    as_of = models.DateTimeField()
    last = models.FloatField("last price [USD]")
    previous_close = models.FloatField("previous close [USD]")
    gap = models.FloatField("open against previous close", null=True, blank=True)
    volume = models.FloatField("volume so far [shares]")
    usual_volume = models.FloatField("usual by this minute [shares]")
    rel_volume = models.FloatField("volume so far [x the usual by this minute]")
    before_open = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last__gt=0, previous_close__gt=0, usual_volume__gt=0)
                & Q(rel_volume__gte=0, volume__gte=0),
                name="live_quote_figures_possible",
            ),
        ]
        indexes = [models.Index(F("rel_volume").desc(), name="live_quote_loudest")]

    def __str__(self) -> str:
        return f"{self.symbol} (provisional)"
