"""How much of a session's usual volume has passed by a minute."""

from datetime import datetime
from typing import Final

AUCTION_SHARE: Final = 0.08  # of the day, in the closing auction
BEFORE_OPEN_SHARE: Final = 0.01  # of the day, from 04:00 to 09:30
ENDS_TO_MIDDLE: Final = 3.0  # pace at the open and near the close, of that at midday
BEFORE_OPEN_MINUTES: Final = 330


def usual_share(at: datetime, *, opens: datetime, closes: datetime) -> float:
    """Return the share of a usual session's volume traded by ``at``, in (0, 1].

    A stated approximation, not measured here: what rests on it is provisional.

    Args:
        at: An instant of the session's day.
        opens: Its opening.
        closes: Its close, 13:00 on a half day.

    Source:
        The U shape is long known (Jain and Joh 1988; Admati and Pfleiderer 1988). Ours: pace
        1 + 2 (2x - 1)^2 over the fraction x of the session, three times as high at both ends
        as in the middle, 1 % of the day before the open, 8 % in the closing auction.
    """
    if at >= closes:
        return 1.0
    if at < opens:
        minutes = (opens - at).total_seconds() / 60
        passed = max(0.05, 1 - minutes / BEFORE_OPEN_MINUTES)
        return BEFORE_OPEN_SHARE * passed
    x = (at - opens) / (closes - opens)
    rise = ENDS_TO_MIDDLE - 1
    area = x + rise * ((2 * x - 1) ** 3 + 1) / 6
    through = area / (1 + rise / 3)
    return BEFORE_OPEN_SHARE + (1 - BEFORE_OPEN_SHARE - AUCTION_SHARE) * through
