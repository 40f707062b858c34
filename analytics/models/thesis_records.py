"""Stage theses: what happens to a thesis, and what came of asking for one (design §9)."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from analytics.models.discovery import Candidate
from analytics.models.frozen import AppendOnly, FrozenQuerySet
from analytics.models.jobs import JobRun
from analytics.models.market import Source
from analytics.models.theses import AuthorKind, Thesis


class ThesisEventKind(models.TextChoices):
    """What can happen to a thesis after it was issued."""

    FALSIFIED = "falsified", "falsifier triggered"
    ENTER = "enter", "pre-open: entry may be taken"
    DO_NOT_CHASE = "do_not_chase", "pre-open: do not chase"
    PAST_BARRIER = "past_barrier", "pre-open: already beyond a barrier"
    NOT_CHECKED = "not_checked", "pre-open: not checked"
    WITHDRAWN = "withdrawn", "withdrawn by its author"


PRE_OPEN = (
    ThesisEventKind.ENTER,
    ThesisEventKind.DO_NOT_CHASE,
    ThesisEventKind.PAST_BARRIER,
    ThesisEventKind.NOT_CHECKED,
)


class ThesisEventQuerySet(FrozenQuerySet["ThesisEvent"]):
    def pre_open(self) -> Self:
        """What the checks before the open said."""
        return self.filter(kind__in=PRE_OPEN)

    def newest_first(self) -> Self:
        return self.order_by("-recorded_at", "-pk")


class ThesisEvent(AppendOnly):
    """Something that happened to a thesis, and so to its candidate. Appended, never changed."""

    thesis = models.ForeignKey(Thesis, models.PROTECT, related_name="events")
    candidate = models.ForeignKey(
        Candidate, models.PROTECT, null=True, blank=True, related_name="thesis_events"
    )
    kind = models.CharField(max_length=16, choices=ThesisEventKind)
    session = models.DateField(help_text="session in which it happened")
    subject = models.CharField(
        max_length=200, blank=True, help_text="the falsifier that was triggered"
    )
    message = models.CharField(max_length=300)
    detail = models.JSONField(default=dict, blank=True, help_text="the figures it rests on")
    recorded_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = ThesisEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["thesis", "subject"],
                condition=Q(kind=ThesisEventKind.FALSIFIED),
                name="event_falsifier_triggers_once",
            ),
            models.UniqueConstraint(
                fields=["thesis", "kind", "session"],
                condition=~Q(kind=ThesisEventKind.FALSIFIED),
                name="event_once_per_session",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ThesisEventKind.values), name="event_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind=ThesisEventKind.FALSIFIED) | ~Q(subject=""),
                name="event_names_its_falsifier",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="event_source_known"
            ),
        ]
        indexes = [models.Index(fields=["candidate", "-recorded_at"], name="event_candidate")]

    def __str__(self) -> str:
        return f"{self.thesis_id}: {self.kind}"


class RequestOutcome(models.TextChoices):
    """What came of asking an author for a thesis."""

    WAITING = "waiting", "waiting"
    WRITTEN = "written", "written"
    EXISTS = "exists", "there already"
    STAND_IN = "stand_in", "rules stand in"
    FAILED = "failed", "failed"


class RequestReason(models.TextChoices):
    """Why an author did not write."""

    NO_KEY = "no_key", "no key"
    OVER_BUDGET = "over_budget", "budget of the day is used up"
    REFUSAL = "refusal", "refused to answer"
    CUT_OFF = "cut_off", "answer cut off"
    INVALID = "invalid", "answer breaks the schema"
    NOT_JSON = "not_json", "answer is not JSON"
    UNAUTHORIZED = "unauthorized", "key not accepted"
    BILLING = "billing", "billing"
    FORBIDDEN = "forbidden", "not allowed"
    MODEL_GONE = "model_gone", "model not found or retired"
    BAD_REQUEST = "bad_request", "request not accepted"
    RATE_LIMITED = "rate_limited", "rate limit"
    MONTHLY_CAP = "monthly_cap", "spending cap of the account"
    SERVER_ERROR = "server_error", "server error"
    OVERLOADED = "overloaded", "overloaded"
    TIMED_OUT = "timed_out", "no answer in time"
    UNREACHABLE = "unreachable", "not reachable"
    NO_PRICE = "no_price", "price of the model is not known"
    NO_RANGE = "no_range", "no volatility to set barriers by"


class ThesisRequestQuerySet(models.QuerySet["ThesisRequest"]):
    def newest_first(self) -> Self:
        return self.order_by("-requested_at", "-pk")


class ThesisRequest(models.Model):
    """One author asked about one candidate, and what came of it.

    Where Claude gave nothing usable the rules' thesis stands in, and ``reason`` says why.
    """

    candidate = models.ForeignKey(Candidate, models.PROTECT, related_name="thesis_requests")
    author_kind = models.CharField(max_length=8, choices=AuthorKind)
    outcome = models.CharField(max_length=8, choices=RequestOutcome, default=RequestOutcome.WAITING)
    reason = models.CharField(max_length=16, choices=RequestReason, blank=True)
    message = models.CharField(max_length=300, blank=True)
    raw_answer = models.TextField(blank=True, help_text="what could not be used")
    thesis = models.ForeignKey(
        Thesis, models.PROTECT, null=True, blank=True, related_name="requests"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    job = models.ForeignKey(JobRun, models.SET_NULL, null=True, blank=True, related_name="+")
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ThesisRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome=RequestOutcome.WAITING, finished_at__isnull=True)
                | Q(outcome__in=["written", "exists", "stand_in"], finished_at__isnull=False)
                & Q(thesis__isnull=False)
                | Q(outcome=RequestOutcome.FAILED, finished_at__isnull=False),
                name="request_finished_with_its_thesis",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=["stand_in", "failed"]) | ~Q(reason="") & ~Q(message=""),
                name="request_failure_says_why",
            ),
        ]
        indexes = [models.Index(fields=["candidate", "-requested_at"], name="request_candidate")]

    def __str__(self) -> str:
        return f"{self.author_kind} on {self.candidate_id}: {self.outcome}"
