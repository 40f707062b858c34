"""What each component added to a score that was given (design §5)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Part:
    """One component of a score.

    Attributes:
        weight: Share of the variant's weights; 0 if the variant does not use it.
        value: In [0, 1]; None if it is not known.
        points: Of 100 that it added to the score; None where it added nothing it could.
        note: Why there is no value.
    """

    name: str
    weight: float
    value: float | None
    points: float | None
    note: str


def parts(
    components: Mapping[str, float | None],
    weights: Mapping[str, float],
    *,
    dropped: Collection[str] = (),
) -> list[Part]:
    """Return the parts of a score, heaviest first; their points add up to the score.

    Args:
        components: Value by name; None if not known.
        weights: Weight by name, 0 if not used.
        dropped: Components that were missing for the whole batch.

    Source: design §5, score = 100 sum(w c) / sum(w) over the components that have data.
    """
    whole = sum(weights.values())
    known = sum(weights[name] for name, value in components.items() if value is not None)
    found = []
    for name, value in components.items():
        weight = weights[name]
        points = 100 * weight * value / known if weight and value is not None and known else None
        found.append(
            Part(
                name=name.replace("_", " "),
                weight=weight / whole if whole else 0.0,
                value=value,
                points=points,
                note=_note(weight, value, name in dropped),
            )
        )
    return sorted(found, key=lambda part: -part.weight)


def _note(weight: float, value: float | None, dropped: bool) -> str:
    if not weight:
        return "not in this variant"
    if value is not None:
        return ""
    return "missing for the whole batch" if dropped else "unknown for this symbol"
