"""The jobs of risk and of orders (design §14)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analytics.models import JobRun
from analytics.services import jobs
from analytics.services.job_registry import Kind, Report, register

ASSESS, SYNC_ORDERS = "assess_risk", "sync_orders"
SEND, CANCEL = "send_order", "cancel_order"


def assess_risk(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Assess risk, advise on positions, check the rules, propose orders: ``source``."""
    from analytics.services import lakes
    from performance.services import advice, compliance, proposals, risk_assessments

    source = arguments.get("source") or lakes.get_active_source()
    about: dict[str, Any] = {"source": source, "now": report.now()}
    report.progress(0, 4, "assessing risk")
    assessed = risk_assessments.record_assessments(**about)
    report.progress(1, 4, "advising on positions")
    advice.record_advice(**about)
    report.progress(2, 4, "checking the rules")
    checked = compliance.record_breaches(**about)
    report.progress(3, 4, "proposing orders")
    proposed = proposals.record_proposals(**about)
    report.progress(4, 4)
    said = (
        f"{assessed.session}: {assessed.accounts} accounts, {assessed.positions} positions; "
        f"{checked.new} new breaches; {proposed.proposed} proposals, {proposed.refused} refused"
    )
    return {"changed": assessed.changed, "breaches": checked.new, "message": said}


def send_order(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Send a confirmed order, once; one that may have been sent is asked for."""
    from performance.services import brokers, orders

    with brokers.connect_alpaca() as broker:
        order = orders.send(order_id=int(arguments["order"]), broker=broker, now=report.now())
    return {"state": str(order.state), "message": f"{order}: {order.message}"}


def cancel_order(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Have an order cancelled; what the broker then says counts."""
    from performance.services import brokers, orders

    with brokers.connect_alpaca() as broker:
        order = orders.cancel(order_id=int(arguments["order"]), broker=broker, now=report.now())
    return {"state": str(order.state), "message": f"{order}: {order.message}"}


def sync_orders(_arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Ask for every order that is not finished."""
    from performance.services import brokers, orders

    with brokers.connect_alpaca() as broker:
        found = orders.refresh(broker=broker, now=report.now())
    return {"orders": len(found), "message": f"{len(found)} orders asked for"}


def request_sync(*, now: datetime) -> JobRun | None:
    """Ask for orders that are not finished; None if all are, or there are no keys."""
    from performance.models import BrokerOrder
    from performance.services import brokers

    if not brokers.has_alpaca() or not BrokerOrder.objects.unfinished().exists():
        return None
    return jobs.request(kind=SYNC_ORDERS, now=now)


def add_kinds() -> None:
    """Make the kinds of risk and orders known."""
    register(
        Kind(name=ASSESS, title="Risk, advice, rules, proposals", work=assess_risk),
        Kind(name=SEND, title="Sending an order", work=send_order, limit_s=300),
        Kind(name=CANCEL, title="Cancelling an order", work=cancel_order, limit_s=300),
        Kind(name=SYNC_ORDERS, title="Orders under way", work=sync_orders, limit_s=600),
    )
