"""Stored models of learned variants, as discovery reads them: nothing here fits (design §17)."""

from analytics.calc import learned_model, sessions
from analytics.models import LearnedModel, Variant, VariantKind
from analytics.services import lakes


def get_models(*, variant: Variant, source: str) -> list[learned_model.Model]:
    """Return the stored models of a variant, oldest first; none for one of rules."""
    if variant.kind != VariantKind.LEARNED:
        return []
    return [load(row) for row in get_rows(variant=variant, source=source)]


def get_rows(*, variant: Variant, source: str) -> list[LearnedModel]:
    """Return the models of a variant in the source's realm, oldest first."""
    beside = LearnedModel.objects.beside(lakes.sources_beside(source)).filter(variant=variant)
    return list(beside.order_by("usable_from", "pk"))


def load(row: LearnedModel) -> learned_model.Model:
    """Return a stored model ready for use."""
    return learned_model.load(
        kind=row.kind,
        usable_from=sessions.number(row.usable_from),
        features=row.features,
        parameters=row.parameters,
        calibration=row.calibration,
    )
