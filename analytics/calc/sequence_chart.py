"""A confidence sequence as lines of a small chart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 640, 200  # units of the drawing


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines as "x,y x,y", empty without points; ``zero`` is the height of no difference.

    Bounds that exclude nothing are left out. ``most`` is the value at the top, and the
    bottom is minus that.
    """

    low: str
    high: str
    effect: str
    zero: float
    most: float


def draw(points: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Return the chart of the readings of an experiment; None with fewer than two.

    Args:
        points: ``effect``, ``low``, ``high`` of each block; None where not bounded.
    """
    if len(points) < 2:
        return None
    bounds = [point[name] for point in points for name in ("low", "high")]
    known = [abs(value) for value in bounds if value is not None]
    known += [abs(point["effect"]) for point in points[len(points) // 4 :]]
    most = max(known) or 1.0

    def line(name: str) -> str:
        places = [
            (at * WIDTH / (len(points) - 1), HEIGHT / 2 * (1 - point[name] / most))
            for at, point in enumerate(points)
            if point[name] is not None
        ]
        return " ".join(f"{x:.1f},{min(max(y, 0), HEIGHT):.1f}" for x, y in places)

    return Chart(
        low=line("low"), high=line("high"), effect=line("effect"), zero=HEIGHT / 2, most=most
    )
