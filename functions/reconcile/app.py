"""Reconcile: looks for what Stripe has and we have not, and asks for it again.

Runs on a schedule, and may be run at any time: it changes nothing but by events that go the way of all
events. A run that comes near its time limit is continued by the next.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nyanko import wiring
from nyanko.deliveries import by_id
from nyanko.reconciliation import (
    DRIFT_SECONDS,
    OVERDUE_SECONDS,
    TO_BE_ASKED_FOR,
    Case,
    Truth,
    Walk,
    fate,
    is_ours,
    truth,
)

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = wiring.logger()

CHECKPOINT = "reconcile"
METRICS = {
    "missing": "ReconcileMissing",
    "stuck": "ReconcileStuck",
    "overdue": "ReconcileOverdue",
    "drift": "ReconcileDrift",
}
SPARE_SECONDS = 60
"""A page takes less than this, even with all of Stripe's retries."""


def lambda_handler(_event: object, context: "LambdaContext") -> dict[str, Any]:
    found: Counter[str] = Counter()
    walk = Walk.resume(wiring.checkpoints().get(CHECKPOINT), wiring.now())
    while walk.listing != "done" and context.get_remaining_time_in_millis() > SPARE_SECONDS * 1000:
        page = (
            wiring.stripe_records().events(walk.since, walk.until, walk.after)
            if walk.listing == "events"
            else wiring.stripe_records().sessions(walk.since, walk.until, walk.after)
        )
        found.update(_ask_again(page) if walk.listing == "events" else _compare(page))
        walk = walk.past(page)
        wiring.checkpoints().put(CHECKPOINT, walk.to_dict())
    # A figure of 0 is told too: the alarm rings when there is none.
    counts = {name: found[name] for name in METRICS}
    for name, metric in METRICS.items():
        wiring.metric(metric, counts[name])
    logger.info("reconciled", extra={**walk.to_dict(), **counts})
    return {**walk.to_dict(), **counts}


def _ask_again(events: Sequence[dict[str, Any]]) -> Counter[str]:
    """Put into the queue what never came to its end here."""
    found: Counter[str] = Counter()
    rows = wiring.events().states([event["id"] for event in events])
    for event in events:
        row = rows.get(event["id"])
        fell = fate(row, wiring.payment_executions().status)
        if fell in TO_BE_ASKED_FOR:
            wiring.payment_events().send(by_id(event["id"], wiring.now()))
            found[fell] += 1
            logger.warning(
                fell,
                extra={
                    "event_id": event["id"],
                    "purchase_id": row.get("purchase_id") if row else None,
                    "execution": row["execution"] if row else None,
                    "type": event["type"],
                },
            )
    return found


def _compare(sessions: Sequence[dict[str, Any]]) -> Counter[str]:
    """Close what should be closed, and find money that no event accounts for."""
    found: Counter[str] = Counter()
    now = wiring.now()
    truths = [_truth(session) for session in sessions if is_ours(session)]
    purchases = {
        purchase.purchase_id: purchase
        for purchase in wiring.purchases().get_many([one.purchase_id for one in truths])
    }
    for one in truths:
        if one.open and now > one.expires_at + OVERDUE_SECONDS:
            found["overdue"] += wiring.stripe_records().expire(one.session_id)
        case = Case(one, purchases.get(one.purchase_id))
        if case.differences and now > one.changed_at + DRIFT_SECONDS and not _is_accounted(case):
            found["drift"] += 1
            logger.error(
                "drift",
                extra={
                    "purchase_id": one.purchase_id,
                    "differences": case.differences,
                    "unexplained": case.unexplained,
                },
            )
    return found


def _truth(session: dict[str, Any]) -> Truth:
    payment = session.get("payment_intent") or {}
    charge = payment.get("latest_charge") or {}
    refunds = wiring.stripe_records().refunds_of(payment["id"]) if charge.get("amount_refunded") else []
    disputes = wiring.stripe_records().disputes_of(payment["id"]) if charge.get("disputed") else []
    return truth(session, refunds, disputes)


def _is_accounted(case: Case) -> bool:
    """Whether an event of the purchase is still on its way, or parked with an alarm of its own."""
    rows = wiring.events().states(wiring.events().ids_of_purchase(case.truth.purchase_id))
    return any(row["state"] in {"claimed", "parked"} for row in rows.values())
