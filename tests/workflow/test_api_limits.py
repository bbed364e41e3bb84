"""POST /checkout within its player's limits, whoever else buys at the same moment."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from nyanko.checkout import Order, purchase_id_for
from nyanko.composition.function import adapters
from nyanko.limits import LATE_EVENT_SECONDS
from nyanko.purchases import Purchase
from nyanko.use_cases.open_checkout import OpenCheckout
from tests.data import MIKE, STARTER_PACK, player_id, purchase_id
from tests.stripe_events import NOW, refund_event, session_event, signed
from tests.workflow.api import ADULT, CHILD, TEENAGER, UNKNOWN, Client, order, purchase_ids
from tests.workflow.engine import Workflow
from tests.workflow.stripe_api import created_session

PACK = STARTER_PACK.product_id
PACK_YEN = STARTER_PACK.unit_amount
CHILDS_YEN = 5_000
"""What a child may spend in a month: ten starter packs."""
ONE_EACH = replace(STARTER_PACK, product_id="maneki_neko", limit_per_player=1)


@pytest.fixture
def workflow(workflow: Workflow) -> Workflow:
    """With something to sell, of which one is limited."""
    for product in (STARTER_PACK, ONE_EACH):
        adapters().products.put(product)
    return workflow


@pytest.mark.parametrize(
    ("birth_month", "yen"), [(CHILD, CHILDS_YEN), (UNKNOWN, CHILDS_YEN), (TEENAGER, 20_000)]
)
def test_a_month_has_a_limit_by_age(workflow: Workflow, birth_month: str, yen: int) -> None:
    client = Client(workflow, birth_month=birth_month)
    over = client.post("/checkout", order(yen // PACK_YEN + 1))
    assert (over.refused, over.figures) == ((409, "LimitReached"), {"limit": yen, "left": yen})
    client.post("/checkout", order(yen // PACK_YEN - 1)).ok()
    over = client.post("/checkout", order(2))
    assert (over.refused, over.figures) == ((409, "LimitReached"), {"limit": yen, "left": PACK_YEN})
    assert client.post("/checkout", order(1)).status == 201
    assert client.post("/checkout", order(1)).figures == {"limit": yen, "left": 0}
    assert len(purchase_ids(workflow)) == 2


def test_adults_have_no_limit_in_a_month(workflow: Workflow) -> None:
    client = Client(workflow, birth_month=ADULT)
    assert [client.post("/checkout", order(99)).status for _ in range(3)] == [201] * 3
    assert workflow.rows("limits") == []


def test_a_month_that_is_used_up_leaves_the_next_one_alone(workflow: Workflow) -> None:
    client = Client(workflow, birth_month=CHILD)
    pay(workflow, client.post("/checkout", order(10)).ok()["purchase_id"])
    assert client.post("/checkout", order()).refused == (409, "LimitReached")
    workflow.now += 30 * 24 * 3600
    assert client.post("/checkout", order(10)).status == 201


def test_the_packs_of_a_product_are_limited_for_each_player(workflow: Workflow) -> None:
    client, other = Client(workflow), Client(workflow, player_id("tama"))
    over = client.post("/checkout", order(2, ONE_EACH.product_id))
    assert (over.refused, over.figures) == ((409, "LimitReached"), {"limit": 1, "left": 1})
    assert client.post("/checkout", order(1, ONE_EACH.product_id)).status == 201
    over = client.post("/checkout", order(1, ONE_EACH.product_id))
    assert (over.refused, over.figures) == ((409, "LimitReached"), {"limit": 1, "left": 0})
    assert other.post("/checkout", order(1, ONE_EACH.product_id)).status == 201


def test_a_purchase_counts_towards_every_limit_that_it_falls_under(workflow: Workflow) -> None:
    client = Client(workflow, birth_month=CHILD)
    bought = client.post("/checkout", order(1, ONE_EACH.product_id)).ok()["purchase_id"]
    lists = {row["scope"]: row["purchase_ids"] for row in workflow.rows("limits")}
    assert lists == {"product#maneki_neko": [bought], "month#2023-11": [bought]}
    assert client.post("/checkout", order(10)).figures == {"limit": CHILDS_YEN, "left": 4_500}


def test_the_key_of_an_order_that_used_up_a_limit_still_gives_its_purchase(workflow: Workflow) -> None:
    client = Client(workflow, birth_month=CHILD)
    first = client.post("/checkout", order(10), "first").ok()
    assert client.post("/checkout", order(10), "first").ok() == first


def pay(workflow: Workflow, bought: str) -> None:
    workflow.deliver(signed(session_event("completed", workflow.purchase(bought))))


def expire(workflow: Workflow, bought: str) -> None:
    workflow.deliver(signed(session_event("expired", workflow.purchase(bought), payment_status="unpaid")))


def refund(workflow: Workflow, bought: str, **changed: Any) -> None:
    pay(workflow, bought)
    workflow.deliver(signed(refund_event("created", workflow.purchase(bought), **changed)))


def refund_a_part(workflow: Workflow, bought: str) -> None:
    refund(workflow, bought, amount=1)


def lapse(workflow: Workflow, bought: str) -> None:
    workflow.now = workflow.purchase(bought).expires_at + LATE_EVENT_SECONDS + 1


@pytest.mark.parametrize("end", [expire, refund, lapse])
def test_what_ended_without_money_counts_no_more(
    workflow: Workflow, end: Callable[[Workflow, str], None]
) -> None:
    client = Client(workflow)
    ended = client.post("/checkout", order(1, ONE_EACH.product_id)).ok()["purchase_id"]
    end(workflow, ended)
    opened = client.post("/checkout", order(1, ONE_EACH.product_id)).ok()["purchase_id"]
    assert [row["purchase_ids"] for row in workflow.rows("limits")] == [[opened]]


@pytest.mark.parametrize("happen", [pay, refund_a_part])
def test_what_was_paid_counts_however_late(
    workflow: Workflow, happen: Callable[[Workflow, str], None]
) -> None:
    client = Client(workflow)
    bought = client.post("/checkout", order(1, ONE_EACH.product_id)).ok()["purchase_id"]
    happen(workflow, bought)
    lapse(workflow, bought)
    assert client.post("/checkout", order(1, ONE_EACH.product_id)).refused == (409, "LimitReached")


# Races


def checkout_elsewhere(
    new_id: str, quantity: int = 1, product_id: str = PACK, birth_month: str = CHILD
) -> Purchase:
    """The same player checks out in another process."""
    open_checkout = OpenCheckout(
        products=adapters().products,
        purchases=adapters().purchases,
        limits=adapters().limits,
        stripe=lambda: adapters().stripe_checkout,
    )
    return open_checkout(new_id, MIKE.player_id, birth_month, Order(product_id, quantity), NOW)


@pytest.mark.parametrize(
    ("product_id", "quantity", "birth_month", "limit"),
    [(ONE_EACH.product_id, 1, ADULT, 1), (PACK, 6, CHILD, CHILDS_YEN)],
    ids=["packs", "yen"],
)
def test_of_two_checkouts_at_the_same_moment_the_limit_lets_one_through(
    workflow: Workflow, product_id: str, quantity: int, birth_month: str, limit: int
) -> None:
    other = purchase_id("other")
    workflow.meanwhile_call(
        "api", "TransactWriteItems", lambda: checkout_elsewhere(other, quantity, product_id, birth_month)
    )
    lost = Client(workflow, birth_month=birth_month).post("/checkout", order(quantity, product_id))
    assert (lost.refused, lost.figures["limit"]) == ((409, "LimitReached"), limit)
    assert purchase_ids(workflow) == {other}
    assert [row["purchase_ids"] for row in workflow.rows("limits")] == [[other]]


def test_two_checkouts_at_the_same_moment_both_come_through_below_the_limit(workflow: Workflow) -> None:
    other = purchase_id("other")
    workflow.meanwhile_call("api", "TransactWriteItems", lambda: checkout_elsewhere(other))
    opened = Client(workflow, birth_month=CHILD).post("/checkout", order()).ok()["purchase_id"]
    assert purchase_ids(workflow) == {other, opened}
    assert [row["purchase_ids"] for row in workflow.rows("limits")] == [[other, opened]]


@pytest.mark.parametrize("birth_month", [ADULT, CHILD])
def test_one_key_sent_twice_at_the_same_moment_is_one_purchase(workflow: Workflow, birth_month: str) -> None:
    same = purchase_id_for(MIKE.player_id, "first")
    workflow.meanwhile_call(
        "api", "TransactWriteItems", lambda: checkout_elsewhere(same, birth_month=birth_month)
    )
    opened = Client(workflow, birth_month=birth_month).post("/checkout", order(), "first").ok()
    assert (opened["purchase_id"], opened["session_id"]) == (same, created_session(same)["id"])
    assert purchase_ids(workflow) == {same}
    assert workflow.stripe_api.asked == ["POST /v1/checkout/sessions"]


def lose(workflow: Workflow, races: int) -> set[str]:
    """Let the next checkout of a child be overtaken so many times; by these purchases."""
    others = [purchase_id(f"other{race}") for race in range(races)]
    for other in others:
        workflow.meanwhile_call("api", "TransactWriteItems", partial(checkout_elsewhere, other))
    return set(others)


def test_who_loses_five_races_is_told_to_try_again_and_can(workflow: Workflow) -> None:
    client = Client(workflow, birth_month=CHILD)
    others = lose(workflow, 5)
    lost = client.post("/checkout", order(), "first")
    assert (lost.refused, lost.headers["retry-after"]) == ((503, "Conflict"), "5")
    assert purchase_ids(workflow) == others
    assert client.post("/checkout", order(), "first").status == 201


def test_who_loses_four_races_comes_through(workflow: Workflow) -> None:
    others = lose(workflow, 4)
    opened = Client(workflow, birth_month=CHILD).post("/checkout", order()).ok()["purchase_id"]
    assert purchase_ids(workflow) == {*others, opened}
