"""Stage market: what is listed, what was read, what was found wrong, what was put right."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Source(models.TextChoices):
    """Where a row comes from. Sources are never mixed in one figure (design §1)."""

    LIVE = "live", "live"
    IMPORTED = "imported", "imported"
    SIMULATED = "simulated", "SIMULATED"
    CLAIMED = "claimed", "claimed"


class Kind(models.TextChoices):
    """Security types. Only common stock and ADRs are scanned (design §7)."""

    COMMON = "common", "common stock"
    ADR = "adr", "ADR"
    SPAC = "spac", "blank-check company"
    ETF = "etf", "ETF"
    FUND = "fund", "fund"
    PREFERRED = "preferred", "preferred stock"
    WARRANT = "warrant", "warrant"
    UNIT = "unit", "unit"
    RIGHT = "right", "right"
    OTHER = "other", "other"
    UNKNOWN = "unknown", "unknown"


class SecurityQuerySet(models.QuerySet["Security"]):
    def of(self, source: str) -> Self:
        return self.filter(source=source)

    def listed_on(self, session: date) -> Self:
        return self.filter(first_session__lte=session, last_session__gte=session)


class Security(models.Model):
    """One ticker over one listing period.

    A ticker can be reused: each period is a row, and no history crosses from one
    to the next. A period also ends where bars are missing for more than 20
    sessions or where the price level shifts without a split (design §3).
    """

    symbol = models.CharField(max_length=16)
    first_session = models.DateField(help_text="first session seen")
    last_session = models.DateField(help_text="last session seen so far")
    listed_on = models.DateField(null=True, blank=True, help_text="as the source states it")
    delisted_on = models.DateField(null=True, blank=True, help_text="as the source states it")
    kind = models.CharField("type", max_length=12, choices=Kind, default=Kind.UNKNOWN)
    name = models.CharField(max_length=200, blank=True)
    exchange = models.CharField(max_length=20, blank=True)
    sector = models.CharField(max_length=80, blank=True)
    industry = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=60, blank=True)
    figi = models.CharField(
        "share class FIGI", max_length=12, blank=True, help_text="stays when the symbol changes"
    )
    cik = models.CharField("CIK", max_length=10, blank=True, help_text="the SEC's number")
    source = models.CharField(max_length=12, choices=Source)

    objects = SecurityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "securities"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "symbol", "first_session"], name="security_one_row_per_period"
            ),
            models.CheckConstraint(
                condition=Q(last_session__gte=F("first_session")), name="security_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="security_kind_known"),
            models.CheckConstraint(
                condition=Q(source__in=[Source.LIVE, Source.IMPORTED, Source.SIMULATED]),
                name="security_source_known",
            ),
        ]
        indexes = [
            models.Index(fields=["symbol"], name="security_symbol"),
            models.Index(fields=["figi"], name="security_figi"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} ({self.first_session} to {self.last_session})"


class ImportRun(models.Model):
    """One file read into the lake, or the reason why it was refused."""

    class State(models.TextChoices):
        RUNNING = "running", "running"
        DONE = "done", "done"
        REFUSED = "refused", "refused"

    file = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file")
    data_set = models.CharField(max_length=24, help_text="lake table or 'securities'")
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    rows = models.PositiveIntegerField(default=0)
    symbols = models.PositiveIntegerField(default=0)
    sessions = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)
    lake_version = models.PositiveIntegerField(null=True, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["running", "done", "refused"]), name="import_state_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=[Source.LIVE, Source.IMPORTED, Source.SIMULATED]),
                name="import_source_known",
            ),
        ]
        indexes = [models.Index(fields=["digest", "data_set"], name="import_digest")]

    def __str__(self) -> str:
        return f"{self.file} ({self.started_at:%Y-%m-%d %H:%M})"


class DataFinding(models.Model):
    """Something a quality gate noticed: recorded, never silently mended (design §3)."""

    class Severity(models.TextChoices):
        INFO = "info", "info"
        WARNING = "warning", "warning"
        ERROR = "error", "error"

    run = models.ForeignKey(
        ImportRun, models.CASCADE, null=True, blank=True, related_name="findings"
    )
    gate = models.CharField(max_length=32)
    severity = models.CharField(max_length=8, choices=Severity)
    symbol = models.CharField(max_length=16, blank=True)
    session = models.DateField(null=True, blank=True)
    line = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="line or row of the file"
    )
    kept_out = models.BooleanField(default=False, help_text="the row did not enter the lake")
    detail = models.CharField(max_length=300)
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(severity__in=["info", "warning", "error"]),
                name="finding_severity_known",
            ),
        ]
        indexes = [
            models.Index(fields=["symbol", "session"], name="finding_symbol_session"),
            models.Index(fields=["gate"], name="finding_gate"),
        ]

    def __str__(self) -> str:
        return f"{self.gate}: {self.symbol} {self.session or ''}".strip()


class Correction(models.Model):
    """A bar or split replaced after the fact; kept so that an as-known replay can undo it."""

    class DataSet(models.TextChoices):
        BARS = "bars", "daily bar"
        SPLITS = "splits", "split"

    data_set = models.CharField(max_length=8, choices=DataSet)
    symbol = models.CharField(max_length=16)
    session = models.DateField(help_text="session of the bar, or ex-date of the split")
    before = models.JSONField(
        null=True, blank=True, help_text="the row replaced; null if there was none"
    )
    after = models.JSONField(
        null=True, blank=True, help_text="the row now; null if it was taken away"
    )
    known_on = models.DateTimeField(help_text="when the correction became known")
    reason = models.CharField(max_length=300)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    run = models.ForeignKey(
        ImportRun, models.PROTECT, null=True, blank=True, related_name="corrections"
    )
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(before__isnull=False) | Q(after__isnull=False),
                name="correction_changes_something",
            ),
            models.CheckConstraint(
                condition=Q(data_set__in=["bars", "splits"]), name="correction_data_set_known"
            ),
        ]
        indexes = [models.Index(fields=["symbol", "session"], name="correction_symbol_session")]

    def __str__(self) -> str:
        return f"{self.data_set} {self.symbol} {self.session}"
