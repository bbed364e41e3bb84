"""What belongs to a player over the REST API: purchases, inventory and notices."""

from typing import Any

import pytest

from nyanko.composition.function import adapters
from nyanko.pages import MAX_LIMIT
from nyanko.spends import Spend
from tests.data import MIKE, MIKES_PURCHASE, TAMAS_PURCHASE, player_id, purchase_id
from tests.stripe_events import NOW, refund_event, session_event, signed
from tests.workflow.api import Client
from tests.workflow.engine import Workflow

SPEND = "/inventory/cat_food/spend"
TAMA = player_id("tama")


def buy(workflow: Workflow, quantity: int = 1) -> None:
    """Mike buys packs of ten cat foods and a toy mouse."""
    workflow.deliver(signed(session_event("completed", workflow.sell(quantity=quantity))))


# Purchases


def test_a_player_follows_a_purchase(workflow: Workflow) -> None:
    client = Client(workflow)
    purchase = workflow.sell(quantity=3)
    path = f"/purchases/{purchase.purchase_id}"
    created = {
        "purchase_id": purchase.purchase_id,
        "status": "created",
        "product_id": "neko_starter_pack",
        "name": "ねこスターターパック",
        "quantity": 3,
        "amount": 1500,
        "currency": "jpy",
        "paid": 0,
        "refunded": 0,
        "granted": 0,
        "created_at": NOW,
        "updated_at": NOW,
    }
    assert client.get(path).ok() == created
    workflow.now += 60
    workflow.deliver(signed(session_event("completed", purchase)))
    granted = {**created, "status": "granted", "paid": 1500, "granted": 3, "updated_at": NOW + 60}
    assert client.get(path).ok() == granted
    assert client.get("/purchases").ok() == {"purchases": [granted], "next_cursor": None}


def test_a_purchase_of_somebody_else_is_not_found_and_not_listed(workflow: Workflow) -> None:
    workflow.sell(TAMAS_PURCHASE, TAMA)
    refused = [Client(workflow).get(f"/purchases/{one}") for one in (TAMAS_PURCHASE, MIKES_PURCHASE)]
    assert [one.refused for one in refused] == [(404, "NotFound")] * 2
    assert Client(workflow).get("/purchases").ok()["purchases"] == []
    assert Client(workflow, TAMA).get(f"/purchases/{TAMAS_PURCHASE}").status == 200


def sell_three(workflow: Workflow) -> list[str]:
    """The ids of three purchases, newest first; beside them is one of somebody else."""
    sold: list[str] = []
    for number in range(3):
        workflow.now += 1
        sold.insert(0, workflow.sell(purchase_id(number)).purchase_id)
    workflow.sell(TAMAS_PURCHASE, TAMA)
    return sold


def listed(page: dict[str, Any]) -> list[str]:
    return [purchase["purchase_id"] for purchase in page["purchases"]]


def test_pages_lead_from_the_newest_purchase_to_the_oldest(workflow: Workflow) -> None:
    sold = sell_three(workflow)
    first = Client(workflow).get("/purchases", limit="2").ok()
    second = Client(workflow).get("/purchases", limit="2", cursor=first["next_cursor"]).ok()
    assert (listed(first), listed(second)) == (sold[:2], sold[2:])
    assert second["next_cursor"] is None
    assert listed(Client(workflow).get("/purchases", limit=str(MAX_LIMIT)).ok()) == sold


def test_a_cursor_opens_nobody_elses_list(workflow: Workflow) -> None:
    sell_three(workflow)
    mikes = Client(workflow).get("/purchases", limit="1").ok()["next_cursor"]
    assert set(listed(Client(workflow, TAMA).get("/purchases", cursor=mikes).ok())) <= {TAMAS_PURCHASE}


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "two"}, {"cursor": ""}, {"cursor": "猫"}])
def test_a_limit_out_of_range_and_a_cursor_that_is_none_of_ours_are_refused(
    workflow: Workflow, query: dict[str, str]
) -> None:
    assert Client(workflow).get("/purchases", **query).refused == (400, "InvalidRequest")


# Inventory


def test_a_player_holds_what_was_granted(workflow: Workflow) -> None:
    assert Client(workflow).get("/inventory").ok() == {"items": []}
    buy(workflow)
    assert Client(workflow).get("/inventory").ok() == {
        "items": [
            {"item_id": "cat_food", "quantity": 10, "owed": 0},
            {"item_id": "toy_mouse", "quantity": 1, "owed": 0},
        ]
    }
    assert Client(workflow, TAMA).get("/inventory").ok() == {"items": []}


def test_a_spend_takes_items_once_for_its_id(workflow: Workflow) -> None:
    buy(workflow)
    client = Client(workflow)
    spent = {"spend_id": "feed-1", "spent": 3, "item_id": "cat_food", "quantity": 7, "owed": 0}
    for _ in range(2):
        assert client.post(SPEND, {"spend_id": "feed-1", "count": 3}).ok() == spent
    assert client.post(SPEND, {"spend_id": "feed-2", "count": 3}).ok()["quantity"] == 4
    assert workflow.inventory() == workflow.ledger() == {"cat_food": 4, "toy_mouse": 1}


def test_a_spend_that_used_up_everything_may_be_sent_again(workflow: Workflow) -> None:
    buy(workflow)
    answers = [Client(workflow).post(SPEND, {"spend_id": "feed-1", "count": 10}) for _ in range(2)]
    assert [answer.ok()["quantity"] for answer in answers] == [0, 0]


@pytest.mark.parametrize(
    ("path", "count"), [(SPEND, 2), ("/inventory/toy_mouse/spend", 1), ("/inventory/toy_mouse/spend", 2)]
)
def test_another_spend_under_the_same_id_is_refused(workflow: Workflow, path: str, count: int) -> None:
    buy(workflow)
    client = Client(workflow)
    client.post(SPEND, {"spend_id": "feed-1", "count": 1})
    again = client.post(path, {"spend_id": "feed-1", "count": count})
    assert again.refused == (409, "IdempotencyMismatch")
    assert workflow.inventory() == {"cat_food": 9, "toy_mouse": 1}


def test_who_has_too_few_is_told_how_many_are_missing(workflow: Workflow) -> None:
    buy(workflow)
    refused = Client(workflow).post(SPEND, {"spend_id": "feed-1", "count": 12})
    assert (refused.refused, refused.figures) == (
        (409, "NotEnough"),
        {"quantity": 10, "owed": 0, "shortfall": 2},
    )
    nothing = Client(workflow, TAMA).post(SPEND, {"spend_id": "feed-1", "count": 1})
    assert (nothing.refused, nothing.figures) == (
        (409, "NotEnough"),
        {"quantity": 0, "owed": 0, "shortfall": 1},
    )
    assert workflow.inventory() == workflow.ledger() == {"cat_food": 10, "toy_mouse": 1}


def test_who_owes_items_is_told_so(workflow: Workflow) -> None:
    buy(workflow)
    client = Client(workflow)
    client.post(SPEND, {"spend_id": "feed-1", "count": 4})
    workflow.deliver(signed(refund_event("created", workflow.purchase())))
    assert client.get("/inventory").ok()["items"][0] == {"item_id": "cat_food", "quantity": 0, "owed": 4}
    refused = client.post(SPEND, {"spend_id": "feed-2", "count": 1})
    assert refused.figures == {"quantity": 0, "owed": 4, "shortfall": 5}


def test_two_spends_at_the_same_moment_do_not_spend_the_same_items(workflow: Workflow) -> None:
    buy(workflow)
    workflow.meanwhile_call("api", "TransactWriteItems", lambda: spend_elsewhere(8))
    refused = Client(workflow).post(SPEND, {"spend_id": "feed-1", "count": 8})
    assert (refused.refused, refused.figures["quantity"]) == ((409, "NotEnough"), 2)
    assert workflow.inventory() == workflow.ledger() == {"cat_food": 2, "toy_mouse": 1}


def spend_elsewhere(count: int) -> None:
    """Mike feeds a cat in another process."""
    adapters().inventory.spend(MIKE.player_id, Spend("elsewhere", "cat_food", count), NOW)


def collide() -> None:
    """DynamoDB cancels a transaction that meets another one at the same row."""
    reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "broken by the test"},
        "CancellationReasons": reasons,
    }
    dynamodb = adapters().inventory._table.client
    raise dynamodb.exceptions.TransactionCanceledException(answer, "TransactWriteItems")


def test_a_spend_that_meets_another_write_may_be_sent_again(workflow: Workflow) -> None:
    buy(workflow)
    client = Client(workflow)
    workflow.meanwhile_call("api", "TransactWriteItems", collide)
    spent = {"spend_id": "feed-1", "count": 1}
    assert client.post(SPEND, spent).refused == (503, "Conflict")
    assert client.post(SPEND, spent).ok()["quantity"] == 9


# Notices


def test_a_notice_is_listed_until_it_is_acknowledged(workflow: Workflow) -> None:
    client = Client(workflow)
    assert client.get("/notices").ok() == {"notices": []}
    buy(workflow)
    [notice] = client.get("/notices").ok()["notices"]
    assert notice == {
        "notice_id": f"{NOW}.{MIKES_PURCHASE}.{workflow.purchase().version}",
        "created_at": NOW,
        "type": "purchase.updated",
        "purchase_id": MIKES_PURCHASE,
        "status": "granted",
        "items": {"cat_food": 10, "toy_mouse": 1},
    }
    for _ in range(2):
        acknowledged = client.post(f"/notices/{notice['notice_id']}/ack").ok()
        assert acknowledged == {"notice_id": notice["notice_id"], "acknowledged": True}
    assert client.get("/notices").ok() == {"notices": []}


def test_notices_are_told_oldest_first(workflow: Workflow) -> None:
    buy(workflow)
    workflow.now += 60
    workflow.deliver(signed(refund_event("created", workflow.purchase())))
    told = Client(workflow).get("/notices").ok()["notices"]
    assert [notice["status"] for notice in told] == ["granted", "refunded"]


def test_nobody_sees_or_acknowledges_anothers_notice(workflow: Workflow) -> None:
    buy(workflow)
    [notice] = Client(workflow).get("/notices").ok()["notices"]
    other = Client(workflow, TAMA)
    assert other.get("/notices").ok() == {"notices": []}
    assert other.post(f"/notices/{notice['notice_id']}/ack").refused == (404, "NotFound")
    assert Client(workflow).get("/notices").ok() == {"notices": [notice]}


@pytest.mark.parametrize("notice_id", ["no_such_notice", "%20", "猫"])
def test_a_notice_that_never_was_is_not_found(workflow: Workflow, notice_id: str) -> None:
    assert Client(workflow).post(f"/notices/{notice_id}/ack").refused == (404, "NotFound")
    assert workflow.rows("notices") == []
