"""Tables of how it turned out: scores of what ``analytics`` said before."""

from performance.models.accuracy import Settlement, ThesisAccuracy
from performance.models.compliance import BrokenRule, RuleBreach
from performance.models.dashboard import AlertLevel, DashboardSummary, RecoveryStatus
from performance.models.gates import GateStudy
from performance.models.health import (
    DecisionKind,
    HealthMetric,
    HealthStatus,
    Heartbeat,
    Incident,
    IncidentDecision,
)
from performance.models.histories import DiscoveryHistory
from performance.models.ledger import (
    EXTERNAL,
    ActionKind,
    CashKind,
    CashMovement,
    CorporateAction,
    Fill,
    FillKind,
    Origin,
    Side,
)
from performance.models.ledger_rows import Difference, EquityDay, LedgerFinding, Lot, LotClose
from performance.models.metrics import SINCE_INCEPTION, PerformanceMetric, Weighting
from performance.models.orders import (
    BrokerOrder,
    OrderEvent,
    OrderProposal,
    OrderState,
    OrderType,
    ProposalKind,
    ProposalState,
    TimeInForce,
    TradingSwitch,
)
from performance.models.portfolio import (
    Account,
    Position,
    Trade,
    TradeLink,
    TradeSide,
    TradeStatus,
)
from performance.models.recovery import CheckState, RoadmapChange, RoadmapCheck
from performance.models.reports import Edition, MailReport, ReportDelivery, ReportPreference
from performance.models.risk import PositionAdvice, RiskAdvice, RiskAssessment, StopState
from performance.models.timing import TimingAnalysis
from performance.models.tracking import (
    BatchAnalysis,
    CandidateTracking,
    OutcomeClass,
    OutcomeStatus,
)
from performance.models.winners import WinnerEpisode

__all__ = [
    "EXTERNAL",
    "SINCE_INCEPTION",
    "Account",
    "ActionKind",
    "AlertLevel",
    "BatchAnalysis",
    "BrokenRule",
    "BrokerOrder",
    "CandidateTracking",
    "CashKind",
    "CashMovement",
    "CheckState",
    "CorporateAction",
    "DashboardSummary",
    "DecisionKind",
    "Difference",
    "DiscoveryHistory",
    "Edition",
    "EquityDay",
    "Fill",
    "FillKind",
    "GateStudy",
    "HealthMetric",
    "HealthStatus",
    "Heartbeat",
    "Incident",
    "IncidentDecision",
    "LedgerFinding",
    "Lot",
    "LotClose",
    "MailReport",
    "OrderEvent",
    "OrderProposal",
    "OrderState",
    "OrderType",
    "Origin",
    "OutcomeClass",
    "OutcomeStatus",
    "PerformanceMetric",
    "Position",
    "PositionAdvice",
    "ProposalKind",
    "ProposalState",
    "RecoveryStatus",
    "ReportDelivery",
    "ReportPreference",
    "RiskAdvice",
    "RiskAssessment",
    "RoadmapChange",
    "RoadmapCheck",
    "RuleBreach",
    "Settlement",
    "Side",
    "StopState",
    "ThesisAccuracy",
    "TimeInForce",
    "TimingAnalysis",
    "Trade",
    "TradeLink",
    "TradeSide",
    "TradeStatus",
    "TradingSwitch",
    "Weighting",
    "WinnerEpisode",
]
