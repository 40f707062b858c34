"""First row of the scores: the timing that every other is held against."""

from datetime import datetime

from analytics.models import Source
from analytics.services.setup import Stored
from performance.models import TimingAnalysis

REFERENCE = "VIGL"


def store_timing_reference(*, now: datetime) -> Stored:
    """Store VIGL's claimed immediate entry, a delay of 0 sessions (design §13)."""
    _row, created = TimingAnalysis.objects.get_or_create(
        symbol=REFERENCE,
        source=Source.CLAIMED,
        defaults={
            "delay": 0,
            "note": "Claimed: entered on the first executable session.",
            "updated_at": now,
        },
    )
    return Stored(what="Timing reference", rows={REFERENCE: created})
