"""Stage tracking: winners, captured or missed, as runs of explosive stock-days (design §8)."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q

from analytics.models import Source, Variant


class WinnerEpisodeQuerySet(models.QuerySet["WinnerEpisode"]):
    def of(self, source: str) -> Self:
        return self.filter(source=source)

    def missed(self) -> Self:
        return self.filter(captured=False)

    def began_between(self, first: date, last: date) -> Self:
        return self.filter(first_session__range=(first, last))


class WinnerEpisode(models.Model):
    """A run of explosive stock-days of one listed common stock, as one variant saw it (design §8).

    Days at most 14 sessions apart belong to one episode. It is captured if the
    variant named the symbol on a session inside; if not, it is a missed winner.
    """

    variant = models.ForeignKey(Variant, models.PROTECT, related_name="winner_episodes")
    symbol = models.CharField(max_length=16)
    first_session = models.DateField(help_text="first explosive stock-day")
    last_session = models.DateField(help_text="last explosive stock-day so far")
    days = models.PositiveIntegerField("explosive stock-days")
    days_captured = models.PositiveIntegerField("of them, candidate on the day")
    captured = models.BooleanField(help_text="a candidate row lies inside")
    captured_on = models.DateField(null=True, blank=True, help_text="first candidate row inside")
    best_return = models.FloatField("best close within 14 sessions of a day inside [fraction]")
    random_capture = models.FloatField(
        "chance that a random draw captures it",
        help_text="as many rows as there were candidates, drawn from those that passed the gates",
    )
    best_capture = models.BooleanField(help_text="captured by the best three of hindsight")
    first_close = models.FloatField("close on the first day [USD]")
    in_base_universe = models.BooleanField(help_text="on its first day (design §8)")
    gate = models.CharField(
        max_length=40, blank=True, help_text="what removed it on its first day; blank: see reason"
    )
    score = models.FloatField("score on its first day [0-100]", null=True, blank=True)
    reason = models.CharField(
        max_length=120, blank=True, help_text="why gate or score is not known"
    )
    updated_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = WinnerEpisodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "variant", "symbol", "first_session"],
                name="episode_one_per_start",
            ),
            models.CheckConstraint(
                condition=Q(source__in=[Source.LIVE, Source.IMPORTED, Source.SIMULATED]),
                name="episode_source_known",
            ),
            models.CheckConstraint(
                condition=Q(last_session__gte=F("first_session"), days__gte=1)
                & Q(days_captured__lte=F("days")),
                name="episode_in_order",
            ),
            models.CheckConstraint(
                condition=Q(captured=True, captured_on__isnull=False)
                & Q(captured_on__gte=F("first_session"), captured_on__lte=F("last_session"))
                | Q(captured=False, captured_on__isnull=True, days_captured=0),
                name="episode_captured_names_its_day",
            ),
            models.CheckConstraint(condition=Q(best_return__gte=0.5), name="episode_is_explosive"),
            models.CheckConstraint(
                condition=Q(score__isnull=True) | Q(score__range=(0, 100)),
                name="episode_score_0_to_100",
            ),
            models.CheckConstraint(
                condition=Q(random_capture__range=(0, 1)), name="episode_chance_0_to_1"
            ),
            models.CheckConstraint(
                condition=~Q(gate="") | ~Q(reason="") | Q(captured=True),
                name="episode_missed_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "variant", "first_session"], name="episode_start"),
            models.Index(fields=["symbol"], name="episode_symbol"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} from {self.first_session}"
