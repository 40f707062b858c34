"""Names and windows of the further evidence that the learned variant reads (design §4)."""

REVISION = 1  # of the arithmetic; part of the fingerprint of every learned batch

EVIDENCE = (
    "log_price",
    "log_dollars_20",
    "dollars_surge",
    "ret_60",
    "ret_120",
    "from_high_252",
    "from_low_252",
    "volatility_5",
    "volatility_60",
    "contraction",
    "max_ret_20",
    "max_ret_252",
    "min_ret_20",
    "volume_trend",
    "quiet_accumulation",
    "up_volume_20",
    "illiquidity_20",
    "runups_252",
    "failed_runups_252",
    "since_runup",
    "spikes_252",
    "gaps_60",
    "gap_hold_60",
    "sessions_listed",
    "since_reverse_split",
    "market_cap",
    "turnover_1",
    "turnover_20",
    "short_change",
    "fails_pct",
    "market_ret_5",
    "market_ret_20",
    "market_heat",
    "market_heat_20",
    "market_move_20",
    "market_spikes",
    "sector_ret_20",
    "sector_heat_20",
    "health_care",
)
BAR_EVIDENCE = 25  # the first of them: from bars of the listing alone
(
    LOG_PRICE,
    LOG_DOLLARS,
    DOLLARS_SURGE,
    RET_60,
    RET_120,
    FROM_HIGH,
    FROM_LOW,
    VOLATILITY_5,
    VOLATILITY_60,
    CONTRACTION,
    MAX_RET_20,
    MAX_RET_252,
    MIN_RET_20,
    VOLUME_TREND,
    QUIET_ACCUMULATION,
    UP_VOLUME,
    ILLIQUIDITY,
    RUNUPS,
    FAILED_RUNUPS,
    SINCE_RUNUP,
    SPIKES,
    GAPS,
    GAP_HOLD,
    SESSIONS_LISTED,
    SINCE_REVERSE_SPLIT,
    MARKET_CAP,
    TURNOVER_1,
    TURNOVER_20,
    SHORT_CHANGE,
    FAILS_PCT,
    MARKET_RET_5,
    MARKET_RET_20,
    MARKET_HEAT,
    MARKET_HEAT_20,
    MARKET_MOVE,
    MARKET_SPIKES,
    SECTOR_RET_20,
    SECTOR_HEAT_20,
    HEALTH_CARE,
) = range(39)

YEAR = 252  # sessions
FEWEST_OF_YEAR = 60  # sessions with data that an extreme of a year needs
FEWEST_OF_60 = 45
FEWEST_OF_40 = 30
FEWEST_OF_20 = 15
FEWEST_OF_10 = 8
FEWEST_OF_5 = 4
RUNUP = 1.5  # close over the lowest close of the 14 sessions before
RUNUP_WINDOW = 14
FAILED = 0.8  # close 14 sessions after a run-up, over the run-up's close
SPIKE = 3.0  # relative volume
GAP_UP = 0.05
FLAT = 0.20  # change over 20 sessions at which a price is no longer flat
REVERSE_SPLIT = 1.0  # new shares per old, below
FAILS_LIFE = 45  # sessions after settlement
SHORT_STEP = 30  # sessions between two settlements that are compared
MARKET_CLIP = 0.5  # log return beyond which a stock counts no more in the market's mean
FEWEST_OF_SECTOR = 10  # stocks
LONGEST_REACH = YEAR + RUNUP_WINDOW  # sessions that the evidence of a row looks back
