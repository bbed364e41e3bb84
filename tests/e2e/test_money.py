"""Money in every direction, as Stripe tells of it: delayed, refunded, disputed; in any order and repeated."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.shop import Player, Shop, eventually, session_event

STARTER_PACK = {"nyan_coin": 100, "catnip": 5, "red_ribbon": 1}
NOTHING = dict.fromkeys(STARTER_PACK, 0)


def packs(count: int) -> dict[str, int]:
    return {item_id: count * held for item_id, held in STARTER_PACK.items()}


def items_become(player: Player, expected: dict[str, int]) -> bool:
    return eventually(player.items, lambda items: items == expected) == expected


@pytest.fixture
def bought(shop: Shop, player: Player) -> dict[str, Any]:
    """Three packs, paid by card and granted."""
    opened = player.order(quantity=3)
    shop.pay(opened["url"])
    assert player.status_becomes(opened["purchase_id"], "granted")
    return {**opened, "charge": shop.charge(opened["session_id"])}


@pytest.fixture
def chaos(shop: Shop) -> Iterator[None]:
    shop.chaos(duplicate=2, reorder=4, wrong_key=2, drop_next=2, seed=7)
    yield
    shop.chaos()


def test_a_konbini_payment_is_pending_until_the_money_arrives(shop: Shop, player: Player) -> None:
    opened = player.order()
    shop.choose_konbini(opened["url"])
    assert player.status_becomes(opened["purchase_id"], "pending")
    assert player.items() == {}
    shop.pay_voucher(opened["session_id"])
    assert player.status_becomes(opened["purchase_id"], "granted")
    assert player.items() == packs(1)


def test_a_konbini_payment_that_never_arrives_closes_the_purchase(shop: Shop, player: Player) -> None:
    opened = player.order()
    shop.choose_konbini(opened["url"])
    shop.let_voucher_expire(opened["session_id"])
    assert player.status_becomes(opened["purchase_id"], "failed")
    assert (player.items(), shop.ledger(player.player_id)) == ({}, [])


def test_what_is_paid_after_it_expired_is_granted(shop: Shop, player: Player) -> None:
    opened = player.order()
    for number, happened, paid in ((1, "expired", "unpaid"), (2, "completed", "paid")):
        event = session_event(f"evt_{number}_{opened['purchase_id']}", opened, payment_status=paid)
        event["type"] = f"checkout.session.{happened}"
        assert shop.deliver(json.dumps(event).encode()).status == 200
        assert shop.event_state(event["id"]) == "applied"
    assert player.status(opened["purchase_id"]) == "granted"
    assert player.items() == packs(1)


@pytest.mark.parametrize(
    ("amounts", "left", "status"),
    [
        ([100], 3, "partially_refunded"),
        ([500], 2, "partially_refunded"),
        ([500, 600], 1, "partially_refunded"),
        ([None], 0, "refunded"),
    ],
)
def test_a_refund_takes_back_the_packs_that_are_wholly_unpaid(
    shop: Shop, player: Player, bought: dict[str, Any], amounts: list[int | None], left: int, status: str
) -> None:
    for amount in amounts:
        shop.dashboard(f"charges/{bought['charge']}/refunds", **({"amount": amount} if amount else {}))
    assert items_become(player, packs(left))
    assert player.status_becomes(bought["purchase_id"], status)
    assert sum(line["delta"] for line in shop.ledger(player.player_id)) == sum(packs(left).values())


def test_a_refund_that_fails_after_it_succeeded_gives_the_items_back(
    shop: Shop, player: Player, bought: dict[str, Any]
) -> None:
    refund = shop.dashboard(f"charges/{bought['charge']}/refunds")
    assert items_become(player, packs(0))
    shop.dashboard(f"refunds/{refund['id']}/fail")
    assert items_become(player, packs(3))
    assert player.status_becomes(bought["purchase_id"], "granted")


@pytest.mark.parametrize(("action", "left", "status"), [("win", 3, "granted"), ("lose", 0, "disputed")])
def test_an_open_dispute_holds_the_items_and_its_end_decides(
    shop: Shop, player: Player, bought: dict[str, Any], action: str, left: int, status: str
) -> None:
    dispute = shop.dashboard(f"charges/{bought['charge']}/disputes")
    assert items_become(player, packs(0))
    assert player.status(bought["purchase_id"]) == "disputed"
    shop.dashboard(f"disputes/{dispute['id']}/{action}")
    assert items_become(player, packs(left))
    assert player.status_becomes(bought["purchase_id"], status)


def test_an_inquiry_holds_nothing(shop: Shop, player: Player, bought: dict[str, Any]) -> None:
    dispute = shop.dashboard(f"charges/{bought['charge']}/disputes", inquiry=True)
    shop.dashboard(f"disputes/{dispute['id']}/close")
    told = [
        event["id"]
        for event_type in ("charge.dispute.created", "charge.dispute.closed")
        for event in shop.events_about(dispute["id"], event_type)
    ]
    assert [shop.event_state(event_id) for event_id in told] == ["applied", "applied"]
    assert player.items() == packs(3)
    assert len(shop.ledger(player.player_id)) == len(STARTER_PACK)


def test_items_taken_back_after_they_were_spent_are_owed_and_paid_off_first(
    shop: Shop, player: Player, bought: dict[str, Any]
) -> None:
    assert player.post("/inventory/nyan_coin/spend", {"spend_id": "feast", "count": 250}).status == 200
    shop.dashboard(f"charges/{bought['charge']}/refunds")
    assert items_become(player, {**NOTHING, "nyan_coin": -250})
    refused = player.post("/inventory/nyan_coin/spend", {"spend_id": "more", "count": 1})
    assert (refused.status, refused.body["error"]["owed"]) == (409, 250)
    again = player.order(quantity=3)
    shop.pay(again["url"])
    assert items_become(player, {**packs(3), "nyan_coin": 50})
    assert player.post("/inventory/nyan_coin/spend", {"spend_id": "more", "count": 50}).status == 200


@pytest.mark.usefixtures("chaos")
def test_duplicated_reordered_lost_and_badly_signed_deliveries_end_the_same(
    shop: Shop, player: Player
) -> None:
    opened = player.order(quantity=3)
    shop.pay(opened["url"])
    charge = shop.charge(opened["session_id"])
    shop.dashboard(f"charges/{charge}/refunds", amount=500)
    dispute = shop.dashboard(f"charges/{charge}/disputes")
    shop.dashboard(f"disputes/{dispute['id']}/win")
    # Two packs are also what a moment in between would show, so the last event is awaited.
    [closed] = shop.events_about(dispute["id"], "charge.dispute.closed")
    assert shop.event_state(closed["id"]) == "applied"
    assert items_become(player, packs(2))
    assert player.status_becomes(opened["purchase_id"], "partially_refunded")
    sums = dict.fromkeys(STARTER_PACK, 0)
    for line in shop.ledger(player.player_id):
        sums[line["item_id"]] += line["delta"]
    assert sums == packs(2)


@pytest.mark.parametrize(
    "session",
    [
        {"metadata": {}, "payment_link": "plink_1"},
        {"mode": "subscription"},
        {"mode": "setup", "amount_total": None},
    ],
)
def test_other_applications_of_the_account_are_none_of_our_business(
    shop: Shop, player: Player, session: dict[str, Any]
) -> None:
    opened = player.order()
    event = session_event(f"evt_{opened['purchase_id']}", opened, **session)
    assert shop.deliver(json.dumps(event).encode()).status == 200
    assert shop.event_state(event["id"]) == "ignored"
    assert "body" not in shop.event_row(event["id"]), "other people's data is not kept"
    assert player.status(opened["purchase_id"]) == "created"
