"""What a weight sweep found: a map of it, and a draft variant of one set."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from analytics.models import SweepSet, Variant, WeightSweep
from analytics.services import variants

AXES = ("w_volume", "w_momentum")  # of the map
EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 1.0)  # of its bands
SHADES = 5


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Weight sets of one square of the map; ``shade`` is 1 (worst) to 5, 0 without a set."""

    sets: int
    mean_net_return: float | None
    explosive_rate: float | None
    shade: int


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """Mean results by volume weight (rows) and momentum weight (columns)."""

    bands: list[str]
    rows: list[tuple[str, list[Cell]]]


def get_heat_map(*, sweep: WeightSweep) -> HeatMap:
    """Return the mean result of the drawn sets by their volume and momentum weight."""
    drawn = sweep.results.filter(label="").exclude(mean_net_return=None)
    groups: dict[tuple[int, int], list[tuple[float, float]]] = {}
    columns = (*AXES, "mean_net_return", "explosive_rate")
    for volume, momentum, net, explosive in drawn.values_list(*columns):
        key = (_band(volume), _band(momentum))
        groups.setdefault(key, []).append((net or 0.0, explosive or 0.0))
    means = {key: fmean(net for net, _ in found) for key, found in groups.items()}
    bands = [f"{low:.0%} to {high:.0%}" for low, high in pairwise(EDGES)]
    rows = [
        (name, [_cell(groups.get((row, at), []), list(means.values())) for at in range(len(bands))])
        for row, name in enumerate(bands)
    ]
    return HeatMap(bands=bands, rows=rows)


def record_draft(*, chosen: SweepSet) -> Variant:
    """Store the weights of a set as a new variant that is not active; nothing else changes."""
    return variants.record_draft(
        based_on=chosen.sweep.variant,
        weights=chosen.weights,
        name=f"S{chosen.sweep_id}-{chosen.number}",
        title=f"weight set {chosen.number} of sweep {chosen.sweep_id}",
    )


def _band(weight: float) -> int:
    return max(at for at, edge in enumerate(EDGES[:-1]) if weight >= edge)


def _cell(found: Sequence[tuple[float, float]], means: Sequence[float]) -> Cell:
    if not found:
        return Cell(sets=0, mean_net_return=None, explosive_rate=None, shade=0)
    net = fmean(net for net, _ in found)
    spread = max(means) - min(means)
    share = (net - min(means)) / spread if spread else 0.5
    return Cell(
        sets=len(found),
        mean_net_return=net,
        explosive_rate=fmean(explosive for _, explosive in found),
        shade=1 + min(int(share * SHADES), SHADES - 1),
    )
