"""What programs may ask about how it turned out."""

from rest_framework import serializers

from analytics.api.queries import FIRST, LAST, SESSION, VARIANT, SourceQuery
from analytics.models import Variant
from performance.models import OutcomeClass, OutcomeStatus


class DiscoveryAnalysisQuery(SourceQuery):
    """``days_back`` is the mission's; the rest narrows it down."""

    days_back = serializers.IntegerField(
        min_value=1, max_value=3650, default=7, help_text="Calendar days up to end."
    )
    end = serializers.DateField(required=False, help_text="The last day; today if not given.")
    variant = serializers.CharField(max_length=32, required=False, help_text=VARIANT)

    def validate_variant(self, value: str) -> str:
        names = sorted(set(Variant.objects.values_list("name", flat=True)))
        if value not in names:
            known = ", ".join(names) or "none yet"
            raise serializers.ValidationError(f"There is no variant {value}. There are: {known}.")
        return value


class OutcomeQuery(SourceQuery):
    session = serializers.DateField(required=False, help_text=SESSION)
    first = serializers.DateField(required=False, help_text=FIRST)
    last = serializers.DateField(required=False, help_text=LAST)
    variant = serializers.CharField(max_length=32, required=False, help_text=VARIANT)
    symbol = serializers.CharField(max_length=16, required=False, help_text="Ticker, any case.")
    status = serializers.ChoiceField(choices=OutcomeStatus.values, required=False)
    outcome = serializers.ChoiceField(choices=OutcomeClass.values, required=False)
    candidate = serializers.IntegerField(
        min_value=1, required=False, help_text="Only this one, also of a superseded batch."
    )
    batch = serializers.IntegerField(
        min_value=1, required=False, help_text="Only this batch, also if it is superseded."
    )
