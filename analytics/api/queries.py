"""What programs may ask: every parameter named, unknown ones refused."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from analytics.calc import sessions
from analytics.models import JobState, Pattern, Source
from analytics.services import lakes

MEASURED = (Source.IMPORTED, Source.LIVE, Source.SIMULATED)
PAGING = {"page", "page_size"}
SESSION = "Only this session."
FIRST, LAST = "No session before this day.", "No session after this day."
VARIANT = "Name of the variant, such as B."


class Query(serializers.Serializer[Any]):
    """Parameters of a request. A misspelt one is refused, not ignored."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given: Mapping[str, Any] = self.initial_data
        unknown = sorted(set(given) - set(self.fields) - PAGING)
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                dict.fromkeys(unknown, f"There is no such parameter. There are: {known}.")
            )
        return attrs


class SourceQuery(Query):
    """Whose rows: those in use unless said otherwise."""

    source = serializers.ChoiceField(  # type: ignore[assignment]  # the parameter is called so
        choices=[s.value for s in MEASURED],
        required=False,
        help_text="Whose rows; those in use if not given.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        return {"source": lakes.get_active_source(), **attrs}


class BatchQuery(SourceQuery):
    session = serializers.DateField(required=False, help_text=SESSION)
    first = serializers.DateField(required=False, help_text=FIRST)
    last = serializers.DateField(required=False, help_text=LAST)
    variant = serializers.CharField(max_length=32, required=False, help_text=VARIANT)
    version = serializers.IntegerField(min_value=1, required=False, help_text="Of the variant.")
    superseded = serializers.BooleanField(
        default=False, help_text="Also revisions that a later one replaced."
    )


class CandidateQuery(SourceQuery):
    session = serializers.DateField(required=False, help_text=SESSION)
    first = serializers.DateField(required=False, help_text=FIRST)
    last = serializers.DateField(required=False, help_text=LAST)
    variant = serializers.CharField(max_length=32, required=False, help_text=VARIANT)
    version = serializers.IntegerField(min_value=1, required=False, help_text="Of the variant.")
    symbol = serializers.CharField(max_length=16, required=False, help_text="Ticker, any case.")
    pattern = serializers.ChoiceField(choices=Pattern.values, required=False)
    batch = serializers.IntegerField(
        min_value=1, required=False, help_text="Only this batch, also if it is superseded."
    )


class ExplainQuery(SourceQuery):
    symbol = serializers.CharField(max_length=16, help_text="Ticker, any case.")
    session = serializers.DateField(help_text="A trading session that has bars.")

    def validate_symbol(self, value: str) -> str:
        return value.upper()


class JobQuery(Query):
    kind = serializers.CharField(
        max_length=40, required=False, help_text="Such as discover, settle_outcomes, nightly."
    )
    state = serializers.ChoiceField(choices=JobState.values, required=False)


class DiscoveryIn(SourceQuery):
    """One ``session``, or all from ``first`` to ``last``. Give ``now`` in the context."""

    session = serializers.DateField(required=False, help_text="A finished trading session.")
    first = serializers.DateField(required=False, help_text="With last: the start of a range.")
    last = serializers.DateField(required=False, help_text="With first: the end of a range.")

    def validate_session(self, value: date) -> date:
        if not _is_session(value):
            raise serializers.ValidationError(f"{value} is no trading session.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if ("session" in attrs) == ("first" in attrs or "last" in attrs):
            raise serializers.ValidationError({"session": "Give session, or first and last."})
        for name, other in (("first", "last"), ("last", "first")):
            if name in attrs and other not in attrs:
                raise serializers.ValidationError({other: f"{name} needs {other} beside it."})
        finished = sessions.last_finished(self.context["now"])
        for name in ("session", "last"):
            if attrs.get(name, finished) > finished:
                raise serializers.ValidationError(
                    {name: f"The newest finished session is {finished}."}
                )
        if "first" in attrs and not _any_session(attrs["first"], attrs["last"]):
            raise serializers.ValidationError(
                {"last": f"No trading session lies from {attrs['first']} to {attrs['last']}."}
            )
        return attrs

    def arguments(self) -> dict[str, str]:
        """Return the arguments of the job: texts only."""
        return {name: str(value) for name, value in self.validated_data.items()}


def _is_session(when: date) -> bool:
    try:
        return sessions.is_session(when)
    except sessions.OutsideCalendar:
        return False


def _any_session(first: date, last: date) -> bool:
    return bool(sessions.between(first, last))


def asked(query: type[Query], request: Request) -> dict[str, Any]:
    """Return the checked parameters of ``request``.

    Raises:
        serializers.ValidationError: With a message for each parameter that is wrong.
    """
    form = query(data=request.query_params)
    form.is_valid(raise_exception=True)
    answer: dict[str, Any] = form.validated_data
    return answer
