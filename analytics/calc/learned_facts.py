"""Two facts about the learned variant, for those who only tell of it (design §17)."""

from datetime import date
from typing import Final

LEARNED: Final = "C"  # stands in every report, with the reason where it has no rows
LAST_CHOSEN_ON: Final = date(2022, 12, 30)  # later sessions had no part in any choice
