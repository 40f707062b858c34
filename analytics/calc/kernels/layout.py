"""Names and numbers of the compiled loops: the feature table's columns, the gates, the windows."""

REVISION = 1  # of the arithmetic; part of every fingerprint

# Columns of the feature table, design §4. The first eleven come from bars alone.
FEATURES = (
    "rel_volume",
    "dollar_volume_20",
    "ret_1",
    "ret_5",
    "ret_20",
    "gap",
    "close_location",
    "atr_pct_14",
    "breakout_20",
    "volatility_20",
    "accumulation_5",
    "volatility_20_before",
    "float_shares",
    "float_outstanding",
    "float_age",
    "short_interest_pct",
    "short_interest_age",
    "days_to_cover",
    "short_volume_ratio",
    "sentiment",
)
BAR_FEATURES = 12
(
    REL_VOLUME,
    DOLLAR_VOLUME,
    RET_1,
    RET_5,
    RET_20,
    GAP,
    CLOSE_LOCATION,
    ATR,
    BREAKOUT,
    VOLATILITY,
    ACCUMULATION,
    VOLATILITY_BEFORE,
    FLOAT,
    FLOAT_OUTSTANDING,
    FLOAT_AGE,
    SHORT_INTEREST,
    SHORT_INTEREST_AGE,
    DAYS_TO_COVER,
    SHORT_VOLUME_RATIO,
    SENTIMENT,
) = range(20)

LONGEST_WINDOW = 24  # sessions that the features of a row look back (accumulation_5)
FEWEST_OF_20 = 15  # sessions that a window of 20 must hold
FEWEST_OF_14 = 11
FEWEST_OF_5 = 4
SHORT_INTEREST_LIFE = 30  # sessions after settlement
PUBLIC_FLOAT_LIFE = 400  # calendar days after the effective date
DAILY_FIGURE_LIFE = 5  # sessions: short volume and sentiment are stale after a week

# Gates in the order of design §7; 0 is "passed all".
GATES = (
    "common stock or ADR",
    "sessions of this listing",
    "bar present and traded",
    "no split on the day",
    "price band",
    "dollar volume",
    "relative volume",
    "float",
    "coverage",
)
(
    PASSED,
    GATE_KIND,
    GATE_SESSIONS,
    GATE_BAR,
    GATE_SPLIT,
    GATE_PRICE,
    GATE_DOLLAR_VOLUME,
    GATE_REL_VOLUME,
    GATE_FLOAT,
    GATE_COVERAGE,
) = range(10)
ABSENCE_LIMIT = 5  # sessions without a bar after which a symbol no longer counts as listed
