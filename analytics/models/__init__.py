"""Tables of what is said before the market moves."""

from analytics.models.ab_tests import (
    Experiment,
    ExperimentMode,
    ExperimentReading,
    ExperimentState,
)
from analytics.models.alerts import (
    Alert,
    AlertChannel,
    AlertDelivery,
    AlertEvent,
    AlertKind,
    AlertRoute,
    AlertSeverity,
)
from analytics.models.baseline import Baseline
from analytics.models.calibrations import CalibrationMethod, PatternCalibration
from analytics.models.claude_usage import CallPurpose, CallState, ClaudeCall, ThesisBudget
from analytics.models.detector_reports import DetectorReport
from analytics.models.discovery import (
    Candidate,
    DiscoveryBatch,
    FloatBasis,
    Pattern,
    ReferencePattern,
    ShadowPick,
    Variant,
    VariantKind,
)
from analytics.models.exits import ExitRule
from analytics.models.experiments import (
    BacktestRun,
    ClaimAudit,
    ClaimItem,
    LookaheadCertificate,
    Trial,
    Verdict,
)
from analytics.models.feeds import (
    DataSet,
    DataSetState,
    Filing,
    FilingKind,
    Halt,
    HeldSession,
    LiveQuote,
)
from analytics.models.jobs import FINISHED, UNFINISHED, JobRun, JobState
from analytics.models.learned import LearnedModel, ModelKind, ResearchSheet
from analytics.models.market import (
    Correction,
    DataFinding,
    ImportRun,
    Kind,
    Security,
    Source,
)
from analytics.models.similarity import HistoryIndex
from analytics.models.sweeps import SweepSet, WeightSweep
from analytics.models.theses import AuthorKind, CutoffBasis, Recommendation, Thesis
from analytics.models.thesis_records import (
    RequestOutcome,
    RequestReason,
    ThesisEvent,
    ThesisEventKind,
    ThesisRequest,
)

__all__ = [
    "FINISHED",
    "UNFINISHED",
    "Alert",
    "AlertChannel",
    "AlertDelivery",
    "AlertEvent",
    "AlertKind",
    "AlertRoute",
    "AlertSeverity",
    "AuthorKind",
    "BacktestRun",
    "Baseline",
    "CalibrationMethod",
    "CallPurpose",
    "CallState",
    "Candidate",
    "ClaimAudit",
    "ClaimItem",
    "ClaudeCall",
    "Correction",
    "CutoffBasis",
    "DataFinding",
    "DataSet",
    "DataSetState",
    "DetectorReport",
    "DiscoveryBatch",
    "ExitRule",
    "Experiment",
    "ExperimentMode",
    "ExperimentReading",
    "ExperimentState",
    "Filing",
    "FilingKind",
    "FloatBasis",
    "Halt",
    "HeldSession",
    "HistoryIndex",
    "ImportRun",
    "JobRun",
    "JobState",
    "Kind",
    "LearnedModel",
    "LiveQuote",
    "LookaheadCertificate",
    "ModelKind",
    "Pattern",
    "PatternCalibration",
    "Recommendation",
    "ReferencePattern",
    "RequestOutcome",
    "RequestReason",
    "ResearchSheet",
    "Security",
    "ShadowPick",
    "Source",
    "SweepSet",
    "Thesis",
    "ThesisBudget",
    "ThesisEvent",
    "ThesisEventKind",
    "ThesisRequest",
    "Trial",
    "Variant",
    "VariantKind",
    "Verdict",
    "WeightSweep",
]
