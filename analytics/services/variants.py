"""Variants: a new version instead of a change (design §5)."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Max, Q

from analytics.models import Experiment, Variant


@transaction.atomic
def record_new_version(*, variant: Variant) -> Variant:
    """Store a copy of ``variant`` under its next version, not active, free to be edited.

    Returns:
        The draft. The original stays as it is.
    """
    newest = Variant.objects.filter(name=variant.name).aggregate(Max("version"))["version__max"]
    kept = {
        field.name: getattr(variant, field.name)
        for field in Variant._meta.concrete_fields
        if field.name not in ("id", "version", "active")
    }
    return Variant.objects.create(**kept, version=newest + 1, active=False)


def record_draft(
    *, based_on: Variant, weights: Mapping[str, float], name: str, title: str
) -> Variant:
    """Store other weights with the gates of ``based_on``, not active, free to be edited.

    Asked twice, the draft is the same; no variant that is there is changed.

    Args:
        based_on: Its limits are taken over.
        weights: By component; one that is not named weighs nothing.
        name: Of the new variant, version 1.
        title: For people.
    """
    kept = {
        field.name: getattr(based_on, field.name)
        for field in Variant._meta.concrete_fields
        if not field.name.startswith("w_")
        and field.name not in ("id", "name", "version", "title", "active")
    }
    given = {f"w_{component}": weight for component, weight in weights.items()}
    draft, _ = Variant.objects.get_or_create(
        name=name, version=1, defaults={**kept, **given, "title": title, "active": False}
    )
    return draft


def is_compared(variant: Variant) -> bool:
    """Return whether an experiment names the variant: then it cannot be changed (design §17)."""
    named = Q(variant_a=variant) | Q(variant_b=variant)
    return Experiment.objects.filter(named).exists()
