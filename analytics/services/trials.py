"""The ledger of trials: every look at history, so that the best one can be discounted (§16)."""

from typing import Any

from django.db.models import Max

from analytics.calc import ratios
from analytics.calc.evidence import insufficient, measured
from analytics.models import BacktestRun, Trial, Variant
from analytics.services import lakes

NOT_YET = "the ledger holds fewer than two independent trials; the PSR stands undeflated"


def record(*, run: BacktestRun, variant: Variant, key: str, returns: dict[str, float]) -> Trial:
    """Write one trial of a run into the ledger.

    Args:
        run: The backtest it belongs to.
        variant: Whose rules were tried.
        key: Digest of rules, terms, period and source.
        returns: Of the portfolio, by session (ISO date).
    """
    seen = _moments(returns)
    return Trial.objects.create(
        run=run,
        variant=variant,
        key=key,
        sharpe=seen.sharpe if seen else None,
        sessions=len(returns),
        returns=returns,
        created_at=run.finished_at,
        source=run.source,
    )


def get_deflation(*, source: str, returns: dict[str, float]) -> dict[str, Any]:
    """Return the deflated Sharpe ratio of a series at the ledger as it stands, as a document.

    Trials with one key count once; alike ones are one cluster (:func:`ratios.clusters`).
    """
    trials = _distinct(source)
    own = _moments(returns)
    found = None
    unmeasured = _all(source).filter(sharpe=None).values("key").distinct().count()
    if own is not None:
        found = ratios.deflate(
            own,
            [trial.sharpe or 0.0 for trial in trials],
            [trial.returns for trial in trials],
            unmeasured=unmeasured,
        )
    counts = {
        "trials": len(trials),
        "trials_without_returns": unmeasured,
        "recorded": _all(source).count(),
    }
    if found is None:
        none = insufficient(n=len(trials), reason=NOT_YET, source=source)
        return counts | {"value": None, "status": str(none.status), "reason": none.reason}
    estimate = measured(
        value=found.probability,
        n=own.n if own else 0,
        source=source,
        as_of=None,
        method=(
            f"P(Sharpe > best of {found.effective} worthless trials), "
            f"Bailey and Lopez de Prado; {found.trials} trials in {found.effective} clusters"
        ),
        reason="a probability has no interval of its own",
    )
    return counts | {
        "value": estimate.value,
        "status": str(estimate.status),
        "method": estimate.method,
        "value_if_those_without_returns_were_independent": found.cautious,
        "effective_trials": found.effective,
        "deviation_of_sharpes": found.deviation,
        "expected_best_sharpe": found.expected_best,
    }


def _all(source: str) -> Any:
    return Trial.objects.beside(lakes.sources_beside(source))


def _distinct(source: str) -> list[Trial]:
    """Return the newest trial of each key, in order of the key's first recording."""
    usable = _all(source).exclude(sharpe=None)
    newest = usable.values("key").annotate(newest=Max("pk")).values_list("newest", flat=True)
    return list(Trial.objects.filter(pk__in=list(newest)).order_by("key"))


def _moments(returns: dict[str, float]) -> ratios.Moments | None:
    import numpy as np

    return ratios.moments(np.array([returns[day] for day in sorted(returns)], dtype=np.float64))
