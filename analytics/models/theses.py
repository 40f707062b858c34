"""Stage theses: predictions that can be wrong. Frozen when issued (design §9)."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from analytics.models.calibrations import PatternCalibration
from analytics.models.discovery import Candidate, Pattern
from analytics.models.frozen import AppendOnly, FrozenQuerySet
from analytics.models.market import Source


class Recommendation(models.TextChoices):
    BUY = "BUY", "buy"
    HOLD = "HOLD", "hold"
    TRIM = "TRIM", "trim"
    LIQUIDATE = "LIQUIDATE", "liquidate"
    AVOID = "AVOID", "avoid"


class AuthorKind(models.TextChoices):
    """Who can write a thesis."""

    CLAUDE = "claude", "Claude"
    RULES = "rules", "rules"
    PERSON = "person", "person"


class CutoffBasis(models.TextChoices):
    """Where the training cut-off of a model comes from."""

    STATED = "stated", "stated in the settings"
    RELEASED = "released", "day of release (an upper bound)"


MACHINES = (AuthorKind.CLAUDE, AuthorKind.RULES)


class ThesisQuerySet(FrozenQuerySet["Thesis"]):
    def of(self, source: str) -> Self:
        return self.filter(source=source)

    def newest_first(self) -> Self:
        return self.order_by("-number")

    def in_chain(self) -> Self:
        return self.order_by("number")


class Thesis(AppendOnly):
    """What an author expects of a symbol, with target, stop and horizon.

    Append-only: ``digest`` is taken over the content and the digest of the thesis before it
    (``calc.thesis_digest``), and ``number`` is its place in the chain. What happens to it
    afterwards is a ``ThesisEvent``; how it turned out is ``performance.ThesisAccuracy``.
    """

    number = models.PositiveBigIntegerField(unique=True, help_text="place in the chain, from 1")
    candidate = models.ForeignKey(
        Candidate, models.PROTECT, null=True, blank=True, related_name="theses"
    )
    symbol = models.CharField(max_length=16)
    session = models.DateField("signal session")
    pattern = models.CharField(max_length=16, choices=Pattern)
    recommendation = models.CharField(max_length=10, choices=Recommendation)
    entry_price = models.DecimalField("entry [USD]", max_digits=14, decimal_places=4)
    target_price = models.DecimalField("target [USD]", max_digits=14, decimal_places=4)
    stop_price = models.DecimalField("stop [USD]", max_digits=14, decimal_places=4)
    max_entry_price = models.DecimalField(
        "do not chase above [USD]",
        max_digits=14,
        decimal_places=4,
        help_text="above this price the entry is not to be taken",
    )
    horizon = models.PositiveSmallIntegerField("horizon [sessions]")
    p_target = models.FloatField(
        "P(target before stop within the horizon)", help_text="as the author said it"
    )
    p_calibrated = models.FloatField(
        "P(target first), calibrated",
        null=True,
        blank=True,
        help_text="known when it was issued; blank: no calibration of this author yet",
    )
    calibration = models.ForeignKey(
        PatternCalibration, models.PROTECT, null=True, blank=True, related_name="theses"
    )
    p_explosive = models.FloatField("P(explosive within 14 sessions)", null=True, blank=True)
    text = models.TextField(blank=True)
    reasons = models.JSONField(default=list, blank=True)
    falsifiers = models.JSONField(
        default=list, blank=True, help_text="machine-checkable conditions"
    )
    unsupported = models.JSONField(
        default=list,
        blank=True,
        help_text="figures that are not in the pack: where, from, to, figure",
    )
    figures = models.PositiveSmallIntegerField("figures in the text", default=0)
    supported_share = models.FloatField(
        "figures found in the pack [fraction]",
        null=True,
        blank=True,
        help_text="blank: the text has no figures",
    )
    data_pack = models.JSONField(
        default=dict, blank=True, help_text="all that the author was given"
    )
    pack_version = models.CharField(max_length=24, blank=True)
    author_kind = models.CharField(max_length=8, choices=AuthorKind, default=AuthorKind.RULES)
    author = models.CharField(
        max_length=80, help_text="claude:<model>, rules:<version> or a person"
    )
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    model_id = models.CharField("model", max_length=80, blank=True)
    training_cutoff = models.DateField(
        "training cut-off of the model",
        null=True,
        blank=True,
        help_text="blank: not known; settled cases up to it never count as skill",
    )
    cutoff_basis = models.CharField(max_length=10, choices=CutoffBasis, blank=True)
    prompt_version = models.CharField(max_length=24, blank=True)
    raw_answer = models.TextField(blank=True, help_text="as the author sent it")
    stop_reason = models.CharField(max_length=40, blank=True)
    tokens_in = models.PositiveIntegerField("tokens in", null=True, blank=True)
    tokens_out = models.PositiveIntegerField("tokens out", null=True, blank=True)
    cost_usd = models.DecimalField(
        "cost [USD]", max_digits=10, decimal_places=6, null=True, blank=True
    )
    issued_at = models.DateTimeField()
    is_late = models.BooleanField(
        "issued late",
        default=False,
        help_text="after the next session had opened: no prediction, a replay",
    )
    digest_version = models.PositiveSmallIntegerField(
        default=1, help_text="which columns the digest is taken over"
    )
    digest = models.CharField(max_length=64, unique=True)
    previous = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="following"
    )
    source = models.CharField(max_length=12, choices=Source)

    objects = ThesisQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "theses"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "symbol", "session", "author", "prompt_version"],
                condition=Q(author_kind__in=MACHINES),
                name="thesis_machine_says_it_once",
            ),
            models.CheckConstraint(
                condition=Q(number=1, previous__isnull=True)
                | Q(number__gt=1, previous__isnull=False),
                name="thesis_first_has_no_previous",
            ),
            models.CheckConstraint(
                condition=Q(pattern__in=Pattern.values), name="thesis_pattern_known"
            ),
            models.CheckConstraint(
                condition=Q(recommendation__in=Recommendation.values),
                name="thesis_recommendation_known",
            ),
            models.CheckConstraint(
                condition=Q(entry_price__gt=0, target_price__gt=0, stop_price__gte=0)
                & Q(max_entry_price__gt=0),
                name="thesis_prices_positive",
            ),
            models.CheckConstraint(
                condition=Q(target_price__gt=F("entry_price"), stop_price__lt=F("entry_price"))
                | Q(recommendation__in=["TRIM", "LIQUIDATE", "AVOID"])
                & Q(target_price__lt=F("entry_price"), stop_price__gt=F("entry_price")),
                name="thesis_barriers_in_order",
            ),
            models.CheckConstraint(
                condition=~Q(recommendation="BUY")
                | Q(max_entry_price__gte=F("entry_price"), max_entry_price__lt=F("target_price")),
                name="thesis_buy_is_not_chased_past_its_target",
            ),
            models.CheckConstraint(
                condition=Q(p_target__range=(0, 1))
                & (Q(p_explosive__isnull=True) | Q(p_explosive__range=(0, 1)))
                & (Q(p_calibrated__isnull=True) | Q(p_calibrated__range=(0, 1))),
                name="thesis_probabilities_0_to_1",
            ),
            models.CheckConstraint(
                condition=Q(p_calibrated__isnull=True, calibration__isnull=True)
                | Q(p_calibrated__isnull=False, calibration__isnull=False),
                name="thesis_calibrated_names_its_row",
            ),
            models.CheckConstraint(
                condition=Q(figures=0, supported_share__isnull=True)
                | Q(figures__gt=0, supported_share__range=(0, 1), supported_share__isnull=False),
                name="thesis_share_of_figures_when_it_has_some",
            ),
            models.CheckConstraint(condition=Q(horizon__gte=1), name="thesis_horizon_ahead"),
            models.CheckConstraint(
                condition=Q(author_kind__in=AuthorKind.values), name="thesis_author_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(training_cutoff__isnull=True, cutoff_basis="")
                | Q(training_cutoff__isnull=False, cutoff_basis__in=CutoffBasis.values),
                name="thesis_cutoff_names_its_basis",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="thesis_source_known"
            ),
        ]
        indexes = [
            models.Index(fields=["symbol", "session"], name="thesis_symbol_session"),
            models.Index(fields=["author"], name="thesis_author"),
            models.Index(fields=["session"], name="thesis_session"),
        ]
        permissions = [("write_thesis", "Can have theses written")]

    def __str__(self) -> str:
        return f"{self.recommendation} {self.symbol} ({self.session})"
