"""Stage candidates: the variants that rank, the patterns they are compared with, what they said."""

from typing import Any, Self

from django.db import models
from django.db.models import F, Q

from analytics.models.market import Source

SCORE_COMPONENTS = ("volume", "momentum", "float", "short_interest", "technical", "sentiment")


class VariantKind(models.TextChoices):
    """How a variant ranks: by weights written down, or by a fitted model (design §17)."""

    RULES = "rules", "rules"
    LEARNED = "learned", "learned"


class VariantQuerySet(models.QuerySet["Variant"]):
    def active(self) -> Self:
        return self.filter(active=True)


class Variant(models.Model):
    """Weights and limits of one detector (design §5, §7).

    A variant that has produced a batch is frozen: a change makes a new version.
    """

    name = models.CharField(max_length=32)
    version = models.PositiveSmallIntegerField(default=1)
    title = models.CharField(max_length=80)
    kind = models.CharField(
        max_length=8,
        choices=VariantKind,
        default=VariantKind.RULES,
        help_text="learned: ranks by its newest fitted model, the weights below are not used",
    )
    active = models.BooleanField(default=True, help_text="scored every session")
    w_volume = models.FloatField("volume weight", default=0)
    w_momentum = models.FloatField("momentum weight", default=0)
    w_float = models.FloatField("float weight", default=0)
    w_short_interest = models.FloatField("short interest weight", default=0)
    w_technical = models.FloatField("technical weight", default=0)
    w_sentiment = models.FloatField("sentiment weight", default=0)
    min_close = models.FloatField("lowest raw close [USD]", default=1.0)
    max_close = models.FloatField("highest raw close [USD]", default=8.0)
    min_dollar_volume = models.FloatField("lowest 20-session dollar volume [USD]", default=500_000)
    min_rel_volume = models.FloatField("lowest relative volume [x]", default=1.5)
    max_float = models.FloatField("float below, when known [shares]", default=100_000_000)
    min_sessions = models.PositiveSmallIntegerField("sessions of this listing", default=21)
    min_coverage = models.FloatField("lowest coverage that is ranked", default=0.55)
    top = models.PositiveSmallIntegerField("candidates kept per session", default=50)
    slippage_bp = models.FloatField(
        "slippage of each side [basis points]", default=0, help_text="on top of a backtest's costs"
    )

    objects = VariantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="variant_name_version_once"),
            models.CheckConstraint(
                condition=Q(w_volume__gte=0, w_momentum__gte=0, w_float__gte=0)
                & Q(w_short_interest__gte=0, w_technical__gte=0, w_sentiment__gte=0),
                name="variant_weights_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(min_close__gt=0, max_close__gte=F("min_close")),
                name="variant_price_band_in_order",
            ),
            models.CheckConstraint(
                condition=Q(min_coverage__range=(0, 1)), name="variant_coverage_0_to_1"
            ),
            models.CheckConstraint(condition=Q(top__range=(1, 500)), name="variant_top_1_to_500"),
            models.CheckConstraint(
                condition=Q(kind__in=VariantKind.values), name="variant_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(slippage_bp__gte=0, slippage_bp__lt=5000),
                name="variant_slippage_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def weights(self) -> dict[str, float]:
        """Weight by component, in the order of design §5."""
        return {name: getattr(self, f"w_{name}") for name in SCORE_COMPONENTS}


class ReferencePattern(models.Model):
    """A past winner that candidates are compared with (design §6). Unknown fields stay null."""

    symbol = models.CharField(max_length=16, unique=True)
    signal_session = models.DateField(null=True, blank=True)
    entry_price = models.FloatField("entry [USD]", null=True, blank=True)
    peak_price = models.FloatField("peak [USD]", null=True, blank=True)
    gain = models.FloatField(help_text="fraction: 3.24 is +324 %")
    volume_spike = models.FloatField("volume [x its 20-session mean]", null=True, blank=True)
    short_interest_pct = models.FloatField(
        "short interest [fraction of float]", null=True, blank=True
    )
    float_shares = models.FloatField("float [shares]", null=True, blank=True)
    sessions_to_peak = models.PositiveSmallIntegerField(null=True, blank=True)
    price_low = models.FloatField("price range from [USD]", null=True, blank=True)
    price_high = models.FloatField("price range to [USD]", null=True, blank=True)
    characteristics = models.JSONField(default=list, blank=True)
    active = models.BooleanField(default=True)
    note = models.TextField(blank=True)
    source = models.CharField(max_length=12, choices=Source, default=Source.CLAIMED)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(entry_price__isnull=True) | Q(entry_price__gt=0))
                & (Q(volume_spike__isnull=True) | Q(volume_spike__gt=0))
                & (Q(short_interest_pct__isnull=True) | Q(short_interest_pct__gt=0))
                & (Q(float_shares__isnull=True) | Q(float_shares__gt=0)),
                name="reference_fields_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.symbol


class DiscoveryBatchQuerySet(models.QuerySet["DiscoveryBatch"]):
    def current(self) -> Self:
        """The newest revision of each session and variant."""
        return self.filter(is_current=True)

    def of(self, source: str) -> Self:
        return self.filter(source=source)


class DiscoveryBatch(models.Model):
    """One session scanned by one variant.

    Written once. If the rows that it read have changed since, a new revision supersedes it.
    """

    session = models.DateField()
    variant = models.ForeignKey(Variant, models.PROTECT, related_name="batches")
    revision = models.PositiveSmallIntegerField(default=1)
    is_current = models.BooleanField(default=True, help_text="no later revision supersedes it")
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    fingerprint = models.CharField(max_length=64, help_text="digest of the rows that were read")
    lake_versions = models.JSONField(help_text="version of each lake table that was read")
    universe_size = models.PositiveIntegerField(
        help_text="listed securities: a bar that session or in the 5 before"
    )
    funnel = models.JSONField(help_text="symbols left after each gate, in order")
    candidate_count = models.PositiveSmallIntegerField()
    mean_score = models.FloatField(null=True, blank=True, help_text="of the candidates, 0 to 100")
    mean_coverage = models.FloatField(null=True, blank=True)
    dropped_components = models.JSONField(default=list, help_text="missing for the whole batch")
    model_digest = models.CharField(
        max_length=32, blank=True, help_text="of the fitted model that ranked; blank for rules"
    )
    note = models.CharField(max_length=200, blank=True, help_text="why there is no ranking")
    spike_share = models.FloatField(
        null=True, blank=True, help_text="share of common stocks with relative volume >= 3"
    )
    spike_share_median = models.FloatField(
        null=True, blank=True, help_text="median of spike_share over the 60 sessions before"
    )
    volume_event = models.BooleanField(
        null=True, blank=True, help_text="market-wide volume event; null if not known (design §7)"
    )
    run_seconds = models.FloatField(help_text="of the run that wrote it, shared by its sessions")
    created_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = DiscoveryBatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "discovery batches"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "variant", "session", "revision"],
                name="batch_one_per_session_variant_revision",
            ),
            models.UniqueConstraint(
                fields=["source", "variant", "session"],
                condition=Q(is_current=True),
                name="batch_one_current_per_session_variant",
            ),
            models.CheckConstraint(
                condition=Q(source__in=[Source.LIVE, Source.IMPORTED, Source.SIMULATED]),
                name="batch_source_known",
            ),
        ]
        indexes = [models.Index(fields=["-session"], name="batch_session")]

    def __str__(self) -> str:
        return f"{self.session} {self.variant}"


class Pattern(models.TextChoices):
    VIGL_SQUEEZE = "VIGL_SQUEEZE", "VIGL squeeze"
    STANDARD = "STANDARD", "standard"


class FloatBasis(models.TextChoices):
    PUBLIC = "public", "public float"
    OUTSTANDING = "outstanding", "shares outstanding (upper bound)"


class CandidateQuerySet(models.QuerySet["Candidate"]):
    def current(self) -> Self:
        return self.filter(batch__is_current=True)

    def squeezes(self) -> Self:
        return self.filter(pattern=Pattern.VIGL_SQUEEZE)

    def best_first(self) -> Self:
        return self.order_by("-batch__session", "rank", "pk")


class Candidate(models.Model):
    """A pick with everything that was known of it. Written once, never updated.

    What the price did afterwards is ``performance.CandidateTracking``.
    """

    batch = models.ForeignKey(DiscoveryBatch, models.PROTECT, related_name="candidates")
    symbol = models.CharField(max_length=16)
    rank = models.PositiveSmallIntegerField()
    score = models.FloatField("score [0-100]", help_text="over the components that have data")
    rank_score = models.FloatField("ranked by [0-100]", help_text="missing components count 0")
    coverage = models.FloatField(help_text="share of the weights that has data")
    label = models.CharField(max_length=12, blank=True, help_text="blank: too little history")
    history_share = models.FloatField(
        null=True, blank=True, help_text="share of past ranked stock-days scoring at least this"
    )
    history_n = models.PositiveIntegerField(default=0, help_text="past ranked stock-days")
    pattern = models.CharField(max_length=16, choices=Pattern)
    volume_alert = models.BooleanField(help_text="relative volume >= 15")
    vigl_pattern = models.BooleanField(help_text="relative volume >= 20.9 and close 2.94-4.66")
    short_fuel = models.BooleanField(
        null=True, blank=True, help_text="short interest > 10 %; null: unknown"
    )
    first_signal = models.BooleanField(help_text="no candidate in the 14 sessions before")
    similarity = models.FloatField("similarity [0-100]", null=True, blank=True)
    similarity_to = models.CharField("most like", max_length=16, blank=True)
    similarity_coverage = models.FloatField(null=True, blank=True)
    similarities = models.JSONField(default=dict, help_text="by reference pattern")
    close = models.DecimalField("close [USD]", max_digits=14, decimal_places=4)
    volume = models.FloatField("volume [shares]")
    rel_volume = models.FloatField("volume [x its 20-session mean]")
    dollar_volume_20 = models.FloatField("dollar volume, 20 sessions [USD]")
    ret_1 = models.FloatField("return, 1 session", null=True, blank=True)
    ret_5 = models.FloatField("return, 5 sessions", null=True, blank=True)
    ret_20 = models.FloatField("return, 20 sessions", null=True, blank=True)
    gap = models.FloatField(null=True, blank=True)
    close_location = models.FloatField(null=True, blank=True)
    atr_pct_14 = models.FloatField(null=True, blank=True)
    breakout_20 = models.FloatField(null=True, blank=True)
    volatility_20 = models.FloatField(null=True, blank=True)
    accumulation_5 = models.FloatField(null=True, blank=True)
    float_shares = models.FloatField("float [shares]", null=True, blank=True)
    float_basis = models.CharField(max_length=12, choices=FloatBasis, blank=True)
    float_age = models.PositiveIntegerField("age of float [sessions]", null=True, blank=True)
    short_interest_pct = models.FloatField(
        "short interest [fraction of float]", null=True, blank=True
    )
    short_interest_age = models.PositiveIntegerField(
        "age of short interest [sessions since settlement]", null=True, blank=True
    )
    days_to_cover = models.FloatField(null=True, blank=True)
    short_volume_ratio = models.FloatField(null=True, blank=True)
    sentiment = models.FloatField(null=True, blank=True)
    c_volume = models.FloatField("volume component", null=True, blank=True)
    c_momentum = models.FloatField("momentum component", null=True, blank=True)
    c_float = models.FloatField("float component", null=True, blank=True)
    c_short_interest = models.FloatField("short interest component", null=True, blank=True)
    c_technical = models.FloatField("technical component", null=True, blank=True)
    c_sentiment = models.FloatField("sentiment component", null=True, blank=True)
    p_explosive = models.FloatField(
        "probability of explosive",
        null=True,
        blank=True,
        help_text="calibrated, within 14 sessions; learned variants only",
    )
    contributions = models.JSONField(
        default=dict,
        blank=True,
        help_text="by feature: what it adds to the calibrated log-odds; learned variants only",
    )

    objects = CandidateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "symbol"], name="candidate_one_pick_per_batch"
            ),
            models.UniqueConstraint(fields=["batch", "rank"], name="candidate_one_per_rank"),
            models.CheckConstraint(
                condition=Q(score__range=(0, 100), rank_score__range=(0, 100)),
                name="candidate_score_0_to_100",
            ),
            models.CheckConstraint(
                condition=Q(coverage__range=(0, 1.000001)), name="candidate_coverage_0_to_1"
            ),
            models.CheckConstraint(
                condition=Q(pattern__in=Pattern.values), name="candidate_pattern_known"
            ),
            models.CheckConstraint(
                condition=Q(float_shares__isnull=True, float_basis="")
                | Q(float_shares__isnull=False, float_basis__in=FloatBasis.values),
                name="candidate_float_names_its_basis",
            ),
            models.CheckConstraint(
                condition=Q(history_share__isnull=True, label="")
                | Q(history_share__isnull=False) & ~Q(label=""),
                name="candidate_label_comes_from_history",
            ),
            models.CheckConstraint(
                condition=Q(p_explosive__isnull=True) | Q(p_explosive__range=(0, 1)),
                name="candidate_probability_0_to_1",
            ),
        ]
        indexes = [models.Index(fields=["symbol"], name="candidate_symbol")]
        permissions = [("run_discovery", "Can run discovery")]

    def __str__(self) -> str:
        return f"{self.symbol} #{self.rank}"

    @property
    def components(self) -> dict[str, float | None]:
        """Component by name, each in [0, 1] or None."""
        return {name: getattr(self, f"c_{name}") for name in SCORE_COMPONENTS}

    def snapshot(self) -> dict[str, Any]:
        """Every column but the keys, as plain values."""
        skipped = {"id", "batch"}
        return {
            field.name: getattr(self, field.name)
            for field in self._meta.concrete_fields
            if field.name not in skipped
        }


class ShadowPick(models.Model):
    """The top of a variant without the relative-volume gate: for experiments, not a candidate."""

    batch = models.ForeignKey(DiscoveryBatch, models.PROTECT, related_name="shadow_picks")
    symbol = models.CharField(max_length=16)
    rank = models.PositiveSmallIntegerField()
    score = models.FloatField("score [0-100]")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "symbol"], name="shadow_one_pick_per_batch"),
            models.UniqueConstraint(fields=["batch", "rank"], name="shadow_one_per_rank"),
            models.CheckConstraint(
                condition=Q(score__range=(0, 100)), name="shadow_score_0_to_100"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} #{self.rank} (shadow)"
