"""Tables of how it turned out: scores of what ``analytics`` said before."""

from performance.models.accuracy import Settlement, ThesisAccuracy
from performance.models.dashboard import AlertLevel, DashboardSummary, RecoveryStatus
from performance.models.gates import GateStudy
from performance.models.health import HealthMetric, HealthStatus
from performance.models.metrics import PerformanceMetric, Weighting
from performance.models.portfolio import Account, Position, Trade
from performance.models.risk import RiskAdvice, RiskAssessment
from performance.models.timing import TimingAnalysis
from performance.models.tracking import (
    BatchAnalysis,
    CandidateTracking,
    OutcomeClass,
    OutcomeStatus,
)
from performance.models.winners import WinnerEpisode

__all__ = [
    "Account",
    "AlertLevel",
    "BatchAnalysis",
    "CandidateTracking",
    "DashboardSummary",
    "GateStudy",
    "HealthMetric",
    "HealthStatus",
    "OutcomeClass",
    "OutcomeStatus",
    "PerformanceMetric",
    "Position",
    "RecoveryStatus",
    "RiskAdvice",
    "RiskAssessment",
    "Settlement",
    "ThesisAccuracy",
    "TimingAnalysis",
    "Trade",
    "Weighting",
    "WinnerEpisode",
]
