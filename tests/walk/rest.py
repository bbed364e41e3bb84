"""How a walk ends: all faults are over, whatever waits is done, and then everything must be right."""

from typing import TYPE_CHECKING

from nyanko.composition.function import adapters
from nyanko.use_cases.audit import Audit, Finding
from nyanko.use_cases.reconcile import Reconcile
from tests.walk import oracle, people
from tests.walk.oracle import Violation

if TYPE_CHECKING:
    from tests.walk.world import World

MINUTE, HOUR, DAY = 60, 3_600, 24 * 3_600
ROUNDS = 6
TURNS = 1_000


def come_to_rest(world: "World") -> None:
    """Stripe delivers, the hourly run runs, operators replay what is parked and send dead letters back.

    Raises `Violation`.
    """
    world.dynamodb.lagging = world.stepfunctions.lagging = False
    world.catch_up()
    world.skew = 0
    world.executions.broken.clear()
    run_out(world)
    oracle.look_at_the_queue(world)
    for _ in range(ROUNDS):
        run_out(world)
        if _is_quiet(world):
            break
        world.pass_time(20 * MINUTE)
        people.reconcile(world)
        run_out(world)
        for event_id in _replayable(world):
            people.replay(world, event_id)
        run_out(world)
        world.redrive()
    run_out(world)
    oracle.judge(world)
    world.pass_time(4 * HOUR)
    run_out(world)
    _audit(world)


def run_out(world: "World") -> None:
    """Until nothing is left to deliver, to receive or to do."""
    for _ in range(TURNS):
        for event_id in list(world.undelivered):
            world.deliver(event_id)
        for message in world.visible:
            world.receive([message])
        if not (world.tasks.live or world.queue):
            return
        if not world.tasks.live:
            world.pass_time(min(message.visible_at for message in world.queue) - world.now)
        while live := world.tasks.live:
            world.wake(min(live, key=lambda task: max(task.wakes_at, world.now)))
    raise Violation("it never comes to rest")


def _is_quiet(world: "World") -> bool:
    states = {row["event_id"]: row["state"] for row in world.dynamodb.rows("events")}
    are_ended = all(states.get(one) not in (None, "claimed") for one in world.events)
    return are_ended and not _replayable(world)


def _replayable(world: "World") -> list[str]:
    """What is parked and need not stay so."""
    return [
        row["event_id"]
        for row in world.dynamodb.rows("events")
        if row["state"] == "parked" and not oracle.may_stay(world, row["event_id"], row)
    ]


def _audit(world: "World") -> None:
    """Raises `Violation` if operators are told of what is not so, or not of what was paid twice."""
    shop = adapters()
    reconcile = Reconcile(
        stripe=shop.stripe_records,
        events=shop.events,
        purchases=shop.purchases,
        executions=shop.payment_executions,
        queue=shop.payment_events,
    )
    audit = Audit(reconcile, purchases=shop.purchases, ledger=shop.ledger, inventory=shop.inventory)
    report = audit(int(world.started_at) - DAY, int(world.now), settle_seconds=0)
    paid_again = _paid_again(world)
    found = {finding.about: finding for finding in report.unexplained}
    for about, finding in found.items():
        if not (finding.kind == "money" and about in paid_again):
            raise Violation(f"reconciliation finds what is not so: {_described(world, finding)}")
    parked = {row.get("purchase_id") for row in world.dynamodb.rows("events") if row["state"] == "parked"}
    for about in paid_again - found.keys() - parked:
        raise Violation(f"{world.orders[about].name} was paid twice, and nobody is told")


def _paid_again(world: "World") -> set[str]:
    """Purchases for which another session still has money."""
    return {
        purchase_id
        for purchase_id in world.purchases
        for session in world.stripe.naming(purchase_id)
        if session not in oracle.sessions_of(world, purchase_id)
        and session["payment_status"] == "paid"
        and oracle.left_of(world, session) > 0
    }


def _described(world: "World", finding: Finding) -> str:
    order = world.orders.get(finding.about)
    return f"{finding.kind} of {order.name if order else world.named(finding.about)}: {finding.text}"
