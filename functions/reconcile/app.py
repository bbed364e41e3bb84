"""Reconcile: looks for what Stripe has and we have not, and asks for it again.

Runs on a schedule, and may be run at any time: it changes nothing but by events that go the way of all
events, and at Stripe it closes sessions that are overdue. A run that comes near its time limit is continued
by the next.
"""

from typing import TYPE_CHECKING, Any

from nyanko.comparison import Comparison
from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.composition.telemetry import function_logger, joined, metric
from nyanko.use_cases.reconcile import ComparedEvent, Found, Overdue, Reconcile, Undelivered

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()

METRICS = {
    "missing": "ReconcileMissing",
    "stuck": "ReconcileStuck",
    "undelivered": "ReconcileUndelivered",
    "overdue": "ReconcileOverdue",
    "drift": "ReconcileDrift",
}
SPARE_SECONDS = 60
"""A page takes less than this, even with all of Stripe's retries."""


@joined(logger)
def lambda_handler(_event: object, context: "LambdaContext") -> dict[str, Any]:
    reconcile = Reconcile(
        stripe=adapters().stripe_records,
        events=adapters().events,
        purchases=adapters().purchases,
        executions=adapters().payment_executions,
        queue=adapters().payment_events,
    )
    checkpoint: dict[str, Any] = {}
    pages = reconcile.next_pages(
        adapters().checkpoints,
        clock.now(),
        has_time=lambda: context.get_remaining_time_in_millis() > SPARE_SECONDS * 1000,
    )
    counts = dict.fromkeys(METRICS, 0)
    for reached, found in pages:
        checkpoint = reached.to_dict()
        for one in found:
            counts[_log(one)] += 1
    # A figure of 0 is told too: the alarm rings when there is none.
    for kind, name in METRICS.items():
        metric(name, counts[kind])
    logger.info("reconciled", extra={**checkpoint, **counts})
    return {**checkpoint, **counts}


def _log(found: Found) -> str:
    """Tell of what was found; of which kind it is."""
    match found:
        case ComparedEvent(event_id, type_, _, row, progress):
            about = {"event_id": event_id, "type": type_}
            if row:
                about |= {"purchase_id": row.purchase_id or "", "execution": row.execution}
            logger.warning(progress, extra=about)
            return progress
        case Undelivered(count):
            logger.error("undelivered", extra={"events": count})
            return "undelivered"
        case Overdue(purchase_id, session_id):
            logger.warning("overdue", extra={"purchase_id": purchase_id, "session_id": session_id})
            return "overdue"
        case Comparison(stripe):
            logger.error(
                "drift",
                extra={
                    "purchase_id": stripe.purchase_id,
                    "differences": found.differences,
                    "unexplained": found.unexplained_yen,
                },
            )
            return "drift"
