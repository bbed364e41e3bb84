"""Whole purchases on the local stack: the game, the buyer on Stripe's page, Stripe, and what they end in."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest

from tests.e2e.shop import Player, Shop, eventually, session_event

STARTER_PACK = {"nyan_coin": 100, "catnip": 5, "red_ribbon": 1}


def test_a_card_payment_becomes_items(shop: Shop, player: Player) -> None:
    opened = player.order(quantity=2)
    purchase_id = opened["purchase_id"]
    seen = [player.status(purchase_id)]
    paid = shop.pay(opened["url"])
    assert (paid.status, opened["session_id"] in paid.headers["Location"]) == (303, True)

    def look() -> str:
        seen.append(player.status(purchase_id))
        return seen[-1]

    eventually(look, lambda status: status == "granted")
    # Polling may miss the moment between paid and granted, but nothing else and no other order.
    assert list(dict.fromkeys(seen)) in (["created", "paid", "granted"], ["created", "granted"])
    assert player.items() == {item_id: 2 * count for item_id, count in STARTER_PACK.items()}
    assert {line["item_id"]: line["delta"] for line in shop.ledger(player.player_id)} == player.items()
    [completed] = shop.events_of(purchase_id, "checkout.session.completed")
    [execution] = shop.executions(completed["id"])
    assert shop.states_passed(execution["executionArn"]) == [
        "VerifyEvent",
        "ClaimEvent",
        "RecordPayment",
        "GrantItems",
        "NotifyPlayer",
    ]
    [notice] = eventually(lambda: player.get("/notices").body["notices"], bool)
    assert (notice["purchase_id"], notice["status"]) == (purchase_id, "granted")
    assert player.post(f"/notices/{notice['notice_id']}/ack", {}).status == 200
    assert player.get("/notices").body["notices"] == []


def test_the_same_event_fifty_times_ten_at_once_grants_once(shop: Shop, player: Player) -> None:
    opened = player.order()
    event = session_event(f"evt_{opened['purchase_id']}", opened)
    body = json.dumps(event).encode()
    with ThreadPoolExecutor(10) as senders:
        answers = list(senders.map(lambda _: shop.deliver(body).status, range(50)))
    assert answers == [200] * 50
    assert shop.event_state(event["id"]) == "applied"
    # Copies that met the running execution come back once, after the queue's 180 seconds, and are duplicates.
    assert eventually(lambda: in_queue(shop, "ApproximateNumberOfMessages"), lambda left: left == 0) == 0
    [execution] = shop.executions(event["id"])
    assert (execution["name"], execution["status"]) == (event["id"], "SUCCEEDED")
    assert player.items() == STARTER_PACK
    assert sorted(line["delta"] for line in shop.ledger(player.player_id)) == [1, 5, 100]


def in_queue(shop: Shop, name: Literal["ApproximateNumberOfMessages"]) -> int:
    counts = shop.client("sqs").get_queue_attributes(
        QueueUrl=shop.stack.outputs["PaymentEventsUrl"], AttributeNames=[name]
    )["Attributes"]
    return int(counts[name])


@pytest.mark.parametrize("event_type", ["customer.created", "a.type.of.tomorrow"])
def test_an_event_that_is_not_about_a_purchase_goes_no_further_than_the_webhook(
    shop: Shop, player: Player, event_type: str
) -> None:
    opened = player.order()
    paid = session_event(f"evt_{opened['purchase_id']}", opened)
    other = {**paid, "id": f"evt_other_{opened['purchase_id']}", "type": event_type}
    assert shop.deliver(json.dumps(other).encode()).status == 200
    assert shop.deliver(json.dumps(paid).encode()).status == 200
    assert player.status_becomes(opened["purchase_id"], "granted")
    assert (shop.event_row(other["id"]), shop.executions(other["id"])) == ({}, [])
    assert player.items() == STARTER_PACK


def test_a_parked_event_that_stripe_sends_again_is_replayed(shop: Shop, player: Player) -> None:
    opened = player.order()
    good = session_event(f"evt_{opened['purchase_id']}", opened)
    assert shop.deliver(json.dumps(good | {"livemode": True}).encode()).status == 200
    assert shop.event_state(good["id"]) == "parked"
    # The row is parked a moment before its execution has failed, and until then a second one is a duplicate.
    eventually(lambda: shop.executions(good["id"])[0]["status"], lambda status: status == "FAILED")
    assert shop.deliver(json.dumps(good).encode()).status == 200
    assert player.status_becomes(opened["purchase_id"], "granted")
    replayed = eventually(lambda: shop.executions(good["id"]), lambda found: len(found) == 2)
    assert {one["name"] for one in replayed} == {good["id"], f"{good['id']}-r1"}
    assert shop.event_row(good["id"]).get("parked_reason") is None
