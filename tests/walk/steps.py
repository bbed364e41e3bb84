"""The steps of a walk: what may happen next, drawn from a seed.

A step is a kind and dice of its own, so that any part of a walk can be walked again: what a step chooses
among is what there is by then, and one that finds nothing to choose does nothing.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar
from zlib import crc32

from nyanko.stripe_events import API_VERSION
from tests.walk import people
from tests.walk.oracle import FORGED
from tests.walk.people import PLAYERS, PRODUCTS
from tests.walk.stripe import CARD_NUMBERS
from tests.walk.tasks import FAULTS, Breakage
from tests.walk.world import World

Dice = Random
Thing = TypeVar("Thing")
LENGTHS = (40, 80, 160, 320)
RETRIES = 60
CALLS = 100
BREAKABLE = (
    "stripe_webhook",
    "start_payment",
    "verify_event",
    "ClaimEvent",
    "IgnoreEvent",
    "record_payment",
    "grant_items",
    "notify_player",
    "park_event",
    "DeadLetter",
    "reconcile",
)


@dataclass(frozen=True)
class Step:
    number: int
    kind: str
    dice: int


@dataclass(frozen=True)
class Plan:
    """What one seed decides: how the world is, and what happens in it."""

    seed: int
    endpoint_version: str | None
    lagging: bool
    steps: Sequence[Step]


def plan(seed: int) -> Plan:
    """Each walk leaves out some kinds of steps and has more of others: what is rare in all of them together
    is common in some (Groce et al., Swarm Testing, 2012)."""
    dice = Random(seed)
    kinds = list(KINDS)
    weights = [
        weight * dice.choice((0, 1, 1, 3)) if kind not in NEEDED else weight
        for kind, (_, weight) in KINDS.items()
    ]
    chosen = dice.choices(kinds, weights, k=dice.choice(LENGTHS))
    return Plan(
        seed,
        dice.choice((API_VERSION, API_VERSION, None)),
        dice.random() < 0.5,
        [Step(number, kind, dice.getrandbits(32)) for number, kind in enumerate(chosen, 1)],
    )


def take(step: Step, world: World) -> None:
    KINDS[step.kind][0](world, Random(step.dice))


# ─── Players and buyers ─────────────────────────────────────────────────────────────────────────────────────


def order(world: World, dice: Dice) -> None:
    key = f"key {dice.randrange(24)}"
    chosen = Random(key)  # the same key orders the same
    buyer, product = chosen.choice(list(PLAYERS)), chosen.choice(PRODUCTS)
    people.order(world, buyer, product, chosen.randint(1, 4), key)


def pay(world: World, dice: Dice) -> None:
    if session := _one(world, dice, _sessions(world, status="open")):
        world.happens(lambda: world.stripe.pay(session, dice.choice(CARD_NUMBERS)))


def promise(world: World, dice: Dice) -> None:
    if session := _one(world, dice, _sessions(world, status="open")):
        world.happens(lambda: world.stripe.promise(session))


def voucher(world: World, dice: Dice) -> None:
    open_ = [one for one in world.stripe.all("payment_intent") if one["status"] == "requires_action"]
    if intent := _one(world, dice, open_):
        act = world.stripe.pay_voucher if dice.random() < 0.7 else world.stripe.let_voucher_expire
        world.happens(lambda: act(intent))


def expire(world: World, dice: Dice) -> None:
    if session := _one(world, dice, _sessions(world, status="open")):
        world.happens(lambda: world.stripe.expire(session))


def other_session(world: World, dice: Dice) -> None:
    purchase_id = _one(world, dice, [*world.purchases] or [None])
    world.happens(lambda: world.stripe.open_another(purchase_id, dice.choice((120, 500, 1_200))))


def spend(world: World, dice: Dice) -> None:
    """Use up some of what somebody has, or ask once more for an earlier spend."""
    spend_id = f"spend-{dice.randrange(20)}"
    held = _one(world, dice, [row for row in world.dynamodb.rows("inventory") if row["quantity"] > 0])
    if spend_id in world.spends:
        people.spend(world, *world.spends[spend_id], spend_id)
    elif held:
        count = dice.randint(1, held["quantity"])
        people.spend(world, held["player_id"], held["item_id"], count, spend_id)


def hello(world: World, dice: Dice) -> None:
    player = dice.choice(list(PLAYERS))
    people.hello(world, player, f"connection {dice.randrange(4)}")


def acknowledge(world: World, dice: Dice) -> None:
    if notice := _one(world, dice, world.dynamodb.rows("notices")):
        people.acknowledge(world, notice["player_id"], notice["notice_id"])


# ─── Banks and the Dashboard ────────────────────────────────────────────────────────────────────────────────


def dashboard_refund(world: World, dice: Dice) -> None:
    if charge := _one(world, dice, world.stripe.all("charge")):
        amount = dice.choice((charge["amount"], max(1, charge["amount"] // 2), 1))
        world.happens(lambda: world.stripe.refund(charge, amount))


def end_refund(world: World, dice: Dice) -> None:
    if refund := _one(world, dice, world.stripe.all("refund")):
        how = dice.choice(("succeed", "fail", "cancel"))
        world.happens(lambda: world.stripe.end_refund(refund, how))


def dispute(world: World, dice: Dice) -> None:
    if charge := _one(world, dice, world.stripe.all("charge")):
        amount = dice.choice((charge["amount"], max(1, charge["amount"] // 2)))
        how = dice.choice(({}, {}, {"inquiry": True}, {"prevention": "resolution"}, {"prevention": "block"}))
        world.happens(lambda: world.stripe.dispute(charge, amount, **how))


def answer_dispute(world: World, dice: Dice) -> None:
    if found := _one(world, dice, world.stripe.all("dispute")):
        world.pass_time(1)  # what a bank decides twice in a second has no order
        how = dice.choice(("win", "lose", "submit", "close_inquiry", "escalate", "appeal", "prevent"))
        world.happens(lambda: world.stripe.answer_dispute(found, how))


# ─── Stripe's deliveries and the queue ──────────────────────────────────────────────────────────────────────


def deliver(world: World, dice: Dice) -> None:
    if event_id := _one(world, dice, world.undelivered):
        world.deliver(event_id)


def deliver_again(world: World, dice: Dice) -> None:
    if event_id := _one(world, dice, world.events):
        world.deliver(event_id)


def lose(world: World, dice: Dice) -> None:
    """Stripe gives up: nobody but reconciliation brings the event."""
    if event_id := _one(world, dice, world.undelivered):
        world.undelivered.remove(event_id)


def receive(world: World, dice: Dice) -> None:
    if visible := world.visible:
        world.receive(_some(world, dice, visible, dice.choice((1, 1, 2, 3))))


def forge(world: World, dice: Dice) -> None:
    """Somebody who may write to the queue, and do nothing else, tells of a payment that nobody made."""
    if session := _one(world, dice, _sessions(world, status="open")):
        given = [json.loads(one.given) for one in world.stepfunctions.executions.values()]
        genuine = [one["replay"] for one in given if one.get("signature") != FORGED and "replay" in one]
        made_up = {"by": "x", "at": 0, "reason": "", "mac": "AAAA"}
        vouching = dice.choice((None, {}, "x", made_up, *genuine[:2]))
        # A second copy of the same event may park it, which rings, until an operator replays it.
        copied = _one(world, dice, [None, *(one for one in world.undelivered if one not in world.forged)])
        people.forge(world, session, copied, vouching)


# ─── Operators ──────────────────────────────────────────────────────────────────────────────────────────────


def reconcile(world: World, _dice: Dice) -> None:
    people.reconcile(world)


def replay(world: World, dice: Dice) -> None:
    if event_id := _one(world, dice, world.parked() or world.events):
        people.replay(world, event_id)


def redrive(world: World, _dice: Dice) -> None:
    world.redrive()


def refund(world: World, dice: Dice) -> None:
    if purchase_id := _one(world, dice, list(world.orders)):
        people.refund(world, purchase_id, dice.choice((1, 120, 500)))


# ─── The machine ────────────────────────────────────────────────────────────────────────────────────────────


def run(world: World, dice: Dice) -> None:
    """A task goes on for some calls; one that sleeps is waited for."""
    if task := _one(world, dice, world.tasks.live):
        world.wake(task, dice.choice((1, 1, 1, 2, 3, 5, 8, CALLS)))


def fault(world: World, dice: Dice) -> None:
    """A task goes on, and one of its next calls goes wrong."""
    if task := _one(world, dice, world.tasks.live):
        world.wake(task, dice.choice((1, 1, 2, 3)), dice.choice(FAULTS))


def run_long(world: World, dice: Dice) -> None:
    """A task goes on until its end, through all its retries."""
    if task := _one(world, dice, world.tasks.live):
        for _ in range(RETRIES):
            if task in world.tasks.live:
                world.wake(task, CALLS)


def breakage(world: World, dice: Dice) -> None:
    """A function, or a state that calls AWS itself, meets the same fault each time until it is mended."""
    found = dice.choice(BREAKABLE)
    world.executions.broken[found] = Breakage(dice.choice((1, 1, 2, 3)), dice.choice(FAULTS))


def mend(world: World, _dice: Dice) -> None:
    world.executions.broken.clear()


def abort(world: World, dice: Dice) -> None:
    """An execution is stopped, or whoever calls gives up."""
    if task := _one(world, dice, world.tasks.live):
        world.wake(task, dice.choice((1, 1, 2, 3)))
        if task in world.tasks.live:
            world.executions.abort(task)


def time(world: World, dice: Dice) -> None:
    world.pass_time(dice.choice((1, 1, 1, 3, 60, 60, 900, 900, 3_600, 3_600, 6 * 3_600, 24 * 3_600)))


def skew(world: World, dice: Dice) -> None:
    """The clocks of our functions are off from here on."""
    world.skew = dice.choice((-3, -1, 0, 1, 3))


def catch_up(world: World, _dice: Dice) -> None:
    """Indexes and replicas show what was written."""
    world.catch_up()


KINDS: Mapping[str, tuple[Callable[[World, Dice], None], float]] = {
    act.__name__: (act, weight)
    for act, weight in (
        (order, 6),
        (pay, 10),
        (promise, 2),
        (voucher, 2),
        (expire, 1),
        (other_session, 0.7),
        (spend, 5),
        (hello, 1),
        (acknowledge, 1),
        (dashboard_refund, 3),
        (end_refund, 3),
        (dispute, 2),
        (answer_dispute, 3),
        (deliver, 14),
        (deliver_again, 3),
        (lose, 1),
        (receive, 12),
        (forge, 1),
        (reconcile, 1),
        (replay, 2),
        (redrive, 0.5),
        (refund, 1),
        (run, 40),
        (fault, 8),
        (run_long, 2),
        (breakage, 0.7),
        (mend, 0.7),
        (abort, 1.5),
        (time, 3),
        (skew, 1),
        (catch_up, 4),
    )
}
"""How each kind of step is taken, and how often among others."""

NEEDED = ("order", "pay", "deliver", "receive", "run", "catch_up")
"""Without these nothing would happen."""


def _one(world: World, dice: Dice, things: Iterable[Thing]) -> Thing | None:
    """One of the things, which stays the chosen one when others are there no more."""
    return next(iter(_some(world, dice, things, 1)), None)


def _some(world: World, dice: Dice, things: Iterable[Thing], most: int) -> list[Thing]:
    salt = dice.getrandbits(32)
    return sorted(things, key=lambda thing: crc32(f"{salt} {world.named(thing)}".encode()))[:most]


def _sessions(world: World, status: str) -> list[dict[str, object]]:
    return [one for one in world.stripe.all("checkout.session") if one["status"] == status]
