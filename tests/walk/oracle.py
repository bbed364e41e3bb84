"""What must be so, in straight-line code that shares nothing with `nyanko`.

It knows what happened at Stripe, what the shop sells and what players asked for, and reads our tables as they
are. Amounts are yen.
"""

from collections import Counter
from collections.abc import Iterator
from traceback import format_exception
from typing import TYPE_CHECKING, Any

FORGED = f"t=0,v1={'0' * 64}"
"""The signature of what nobody signed."""

if TYPE_CHECKING:
    from tests.walk.world import World


class Violation(BaseException):
    """Something is not as it must be; no `except Exception` of what is looked at sees it."""


UNEXPECTED = "Nobody expects this error:"


def unexpected(error: Exception) -> str:
    """The words for an error that is none of `nyanko/errors.py`, with the place where it was raised."""
    return f"{UNEXPECTED} {''.join(format_exception(error)[-2:]).strip()}"


def due(world: "World", purchase_id: str) -> int:
    """The packs that a player must have for what Stripe has of the money now."""
    return max((_due_of(world, session) for session in sessions_of(world, purchase_id)), default=0)


def sessions_of(world: "World", purchase_id: str) -> list[dict[str, Any]]:
    """The one session that counts for a purchase: the one in its row, or any that names it before that."""
    own = world.purchases.get(purchase_id, {}).get("session_id")
    return [one for one in world.stripe.naming(purchase_id) if own in (None, one["id"])]


def _due_of(world: "World", session: dict[str, Any]) -> int:
    order = world.orders[session["metadata"]["purchase_id"]]
    if session["payment_status"] != "paid" or session["amount_total"] != order.price * order.quantity:
        return 0
    kept = left_of(world, session)
    packs = 0
    while packs < order.quantity and kept > order.price * packs:
        packs += 1
    return packs


def left_of(world: "World", session: dict[str, Any]) -> int:
    """The yen of a paid session that nobody has given back or taken away."""
    intent = world.stripe.account.objects["payment_intent"][session["payment_intent"]]
    charge = intent["latest_charge"]
    kept: int = session["amount_total"]
    for refund in world.stripe.all("refund"):
        if refund["charge"] == charge and refund["status"] == "succeeded":
            kept -= refund["amount"]
    away = 0
    for dispute in world.stripe.all("dispute"):
        if dispute["charge"] == charge:
            away += max(0, -sum(one["amount"] for one in dispute["balance_transactions"]))
    return int(kept - min(away, session["amount_total"]))


def look(world: "World") -> None:
    """After every call. Raises `Violation`."""
    sums: Counter[tuple[str, str]] = Counter()
    by_purchase: Counter[tuple[str, str]] = Counter()
    taken_back: Counter[tuple[str, str]] = Counter()
    for line in world.dynamodb.rows("ledger"):
        sums[line["player_id"], line["item_id"]] += line["delta"]
        begin, _, rest = line["line_id"].partition("#")
        if begin != "spend":
            order = world.orders[begin]
            if line["player_id"] != order.player_id or line["item_id"] not in order.items:
                raise Violation(f"{order.name} is not of this player, or of this item: {line}")
            by_purchase[begin, line["item_id"]] += line["delta"]
            taken_back[line["player_id"], line["item_id"]] += min(0, line["delta"])
        elif world.spends.get(rest) != (line["player_id"], line["item_id"], -line["delta"]):
            raise Violation(f"nobody asked for the spend {line}")
    for row in world.dynamodb.rows("inventory"):
        holding = row["player_id"], row["item_id"]
        if row["quantity"] != sums.pop(holding, 0):
            raise Violation(f"the ledger's lines do not sum up to {row}")
        if row["quantity"] < 0 and row["quantity"] < taken_back[holding]:
            raise Violation(f"more was spent than there was: {row}")
    if left := {holding: count for holding, count in sums.items() if count}:
        raise Violation(f"the ledger has lines of what no inventory holds: {left}")
    for purchase_id, row in world.purchases.items():
        granted, most, order = row["granted"], world.most_due[purchase_id], world.orders[purchase_id]
        if not 0 <= granted <= most:
            raise Violation(f"{order.name} has {granted} packs, and never were more than {most} due")
        for item_id, count in order.items.items():
            if by_purchase[purchase_id, item_id] != granted * count:
                raise Violation(
                    f"{order.name} was granted {granted} packs, and its lines of {item_id} sum up to "
                    f"{by_purchase[purchase_id, item_id]}"
                )

    _look_at_limits(world)
    _look_at_notices(world)


def look_at_the_queue(world: "World") -> None:
    """Once it is empty: whatever the webhook accepted was begun, be it as another copy of it, and a letter
    tells of whatever is parked.

    A copy that was received twice is the exception: beside a forged one that still runs it is taken for a
    duplicate, and the event is parked, which rings, until it is replayed. Raises `Violation`.
    """
    begun = {
        one.name.partition("-r")[0]
        for one in world.stepfunctions.executions.values()
        if FORGED not in one.given
    }
    again = [one.body for one in world.aws.sqs.sent if one.receives > 1]
    for event_id in sorted(world.accepted - begun):
        if not any(event_id in body for body in again):
            raise Violation(f"{world.named(event_id)} was accepted, and never begun")
    letters = [one.body for one in world.aws.sqs.sent if '"reason"' in one.body]
    for event_id in world.parked():
        if not any(event_id in letter for letter in letters):
            raise Violation(f"{world.named(event_id)} is parked, and no letter tells of it")


def judge(world: "World") -> None:
    """At rest. Raises `Violation`."""
    look(world)
    for purchase_id, row in world.purchases.items():
        if row["granted"] != (must := due(world, purchase_id)):
            raise Violation(
                f"{world.orders[purchase_id].name} has {row['granted']} packs, and {must} are due"
            )
    rows = {row["event_id"]: row for row in world.dynamodb.rows("events")}
    for event_id in world.events:
        row = rows.get(event_id, {"state": "nowhere"})
        if row["state"] in ("nowhere", "claimed"):
            raise Violation(f"{world.named(event_id)} never came to its end: {row['state']}")
        if row["state"] == "parked" and not may_stay(world, event_id, row):
            raise Violation(f"{world.named(event_id)} stays parked: {row['parked_reason']}: {row['cause']}")
        if row["state"] == "ignored" and _is_of_ours(world, event_id):
            raise Violation(f"{world.named(event_id)} is of a purchase of ours, and was ignored")
    lines = {line["line_id"] for line in world.dynamodb.rows("ledger")}
    for spend_id in world.spent:
        if f"spend#{spend_id}" not in lines:
            raise Violation(f"{spend_id} was answered well, and nothing was spent")


def may_stay(world: "World", event_id: str, row: dict[str, Any]) -> bool:
    """Stripe made no such event, or it is of a session that is not the purchase's, or whose price is not."""
    event = world.stripe.account.objects["event"].get(event_id)
    if event is None:
        return True
    about = event["data"]["object"]
    if about["object"] != "checkout.session" or "purchase_id" not in about["metadata"]:
        return False
    order = world.orders[about["metadata"]["purchase_id"]]
    if about["amount_total"] != order.price * order.quantity:
        return row["parked_reason"] in ("AmountMismatch", "OtherSession")
    return row["parked_reason"] == "OtherSession" and not _is_of_ours(world, event_id)


def _is_of_ours(world: "World", event_id: str) -> bool:
    about = world.stripe.account.objects["event"][event_id]["data"]["object"]
    ours = [session for purchase_id in world.purchases for session in sessions_of(world, purchase_id)]
    if about["object"] == "checkout.session":
        return any(about["id"] == session["id"] for session in ours)
    return any(about["payment_intent"] == session["payment_intent"] for session in ours)


def remarks(world: "World") -> dict[str, list[str]]:
    """At rest: what is known to go wrong, by kind."""
    lacking = [
        f"{world.orders[purchase_id].name} counts again, and is not on the list of {scope}"
        for purchase_id, scope in _off_their_lists(world)
        if any(_counts_at_stripe(world, session) for session in sessions_of(world, purchase_id))
    ]
    return {"a purchase that counts again is off its list": lacking} if lacking else {}


def _look_at_notices(world: "World") -> None:
    """The items of a notice are those of the lines of its version."""
    for purchase_id, told, changed in _notices(world):
        if told != changed:
            name = world.orders[purchase_id].name
            raise Violation(f"a notice of {name} tells of {told}, and {changed} changed")


def _notices(world: "World") -> Iterator[tuple[str, dict[str, int], dict[str, int]]]:
    """Of each notice its purchase, the items that it tells of, and those that its version changed."""
    lines: dict[tuple[str, str], dict[str, int]] = {}
    for line in world.dynamodb.rows("ledger"):
        purchase_id, _, rest = line["line_id"].partition("#")
        lines.setdefault((purchase_id, rest.partition("#")[0]), {})[line["item_id"]] = line["delta"]
    for row in world.dynamodb.rows("notices"):
        _, purchase_id, version = row["notice_id"].split(".")
        told = {item: count for item, count in row["notice"]["items"].items() if count}
        yield purchase_id, told, lines.get((purchase_id, version), {})


def _look_at_limits(world: "World") -> None:
    """What has counted at every moment so far stands on the list of each of its limits, and within them."""
    for purchase_id, row in world.purchases.items():
        if not _counts(row, world.now):
            world.not_counted.add(purchase_id)
    used: Counter[tuple[str, str]] = Counter()
    for purchase_id in world.purchases.keys() - world.not_counted:
        order = world.orders[purchase_id]
        for scope, most in order.scopes.items():
            of_packs = scope.startswith("product#")
            used[order.player_id, scope] += order.quantity * (1 if of_packs else order.price)
            if used[order.player_id, scope] > most:
                raise Violation(f"more than {most} are bought of the limit {scope}")
    for purchase_id, scope in _off_their_lists(world):
        if purchase_id not in world.not_counted:
            raise Violation(f"{world.orders[purchase_id].name} is not on the list of {scope}")


def _off_their_lists(world: "World") -> Iterator[tuple[str, str]]:
    listed = {(row["player_id"], row["scope"]): row["purchase_ids"] for row in world.dynamodb.rows("limits")}
    for purchase_id in world.purchases:
        order = world.orders[purchase_id]
        for scope in order.scopes:
            if purchase_id not in listed.get((order.player_id, scope), ()):
                yield purchase_id, scope


def _counts(row: dict[str, Any], now: float) -> bool:
    """By what we know: paid and not given back, or still to be paid (two hours, less what clocks are off)."""
    facts = row["facts"]
    if facts["paid"]:
        refunds = facts["refunds"].values()
        returned = sum(one["amount"] for one in refunds if one["status"] == "succeeded")
        return bool(returned < facts["paid"])
    is_open = facts["pending"] or now < row["created_at"] + 7_200 - 10
    return bool(facts["closed"] is None and is_open)


def _counts_at_stripe(world: "World", session: dict[str, Any]) -> bool:
    if session["status"] != "complete":
        return bool(session["status"] == "open")
    intent = world.stripe.account.objects["payment_intent"][session["payment_intent"]]
    if session["payment_status"] != "paid":
        return bool(intent["status"] == "requires_action")
    refunds = [one for one in world.stripe.all("refund") if one["charge"] == intent["latest_charge"]]
    returned = sum(one["amount"] for one in refunds if one["status"] == "succeeded")
    return bool(returned < session["amount_total"])
