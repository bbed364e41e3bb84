"""POST /checkout: one purchase for a key, and Stripe's page for it."""

from dataclasses import replace
from typing import Any

import pytest

from nyanko.catalog import Product
from nyanko.checkout import LATEST_OPENING_SECONDS, MAX_KEY_LENGTH
from nyanko.composition.function import adapters
from tests.data import MIKE, STARTER_PACK, player_id
from tests.stripe_events import NOW
from tests.workflow.api import Client, order, purchase_ids
from tests.workflow.engine import Workflow
from tests.workflow.stripe_api import created_session

OPENING = "POST /v1/checkout/sessions"


@pytest.fixture
def workflow(workflow: Workflow) -> Workflow:
    """With something to sell."""
    adapters().products.put(STARTER_PACK)
    return workflow


def test_a_checkout_is_a_purchase_at_the_catalogs_price_with_stripes_page(workflow: Workflow) -> None:
    opened = Client(workflow).post("/checkout", order(3))
    purchase = workflow.purchase(opened.body["purchase_id"])
    assert opened.status == 201
    assert opened.body == {
        "purchase_id": purchase.purchase_id,
        "session_id": created_session(purchase.purchase_id)["id"],
        "url": created_session(purchase.purchase_id)["url"],
        "expires_at": purchase.expires_at,
        "amount": 1500,
        "currency": "jpy",
    }
    assert (purchase.player_id, purchase.product, purchase.quantity) == (MIKE.player_id, STARTER_PACK, 3)


def test_the_same_key_gives_the_same_purchase_and_opens_no_second_session(workflow: Workflow) -> None:
    client = Client(workflow)
    first = client.post("/checkout", order(), "first").ok()
    assert client.post("/checkout", order(), "first").ok() == first
    assert workflow.stripe_api.asked == [OPENING]
    assert purchase_ids(workflow) == {first["purchase_id"]}


def test_a_key_keeps_its_order_when_the_catalog_changes(workflow: Workflow) -> None:
    client = Client(workflow)
    first = client.post("/checkout", order(), "first").ok()
    adapters().products.put(replace(STARTER_PACK, unit_amount=900, active=False))
    assert client.post("/checkout", order(), "first").ok() == first


def test_without_a_key_every_request_is_a_purchase_of_its_own(workflow: Workflow) -> None:
    client = Client(workflow)
    opened = {client.post("/checkout", order()).ok()["purchase_id"] for _ in range(2)}
    assert len(opened) == 2
    assert purchase_ids(workflow) == opened


def test_a_key_of_another_player_is_another_key(workflow: Workflow) -> None:
    mikes = Client(workflow).post("/checkout", order(), "first").ok()["purchase_id"]
    tamas = Client(workflow, player_id("tama")).post("/checkout", order(), "first").ok()["purchase_id"]
    assert mikes != tamas
    assert workflow.purchase(tamas).player_id == player_id("tama")


@pytest.mark.parametrize("other", [order(2), order(1, "maneki_neko")])
def test_another_order_under_the_same_key_is_refused(workflow: Workflow, other: dict[str, Any]) -> None:
    client = Client(workflow)
    client.post("/checkout", order(), "first")
    assert client.post("/checkout", other, "first").refused == (409, "IdempotencyMismatch")
    assert len(purchase_ids(workflow)) == 1


def test_a_key_has_up_to_255_characters_and_at_least_one(workflow: Workflow) -> None:
    client = Client(workflow)
    for key in ("", "k" * (MAX_KEY_LENGTH + 1)):
        assert client.post("/checkout", order(), key).refused == (400, "InvalidRequest")
    assert purchase_ids(workflow) == set()
    assert client.post("/checkout", order(), "k" * MAX_KEY_LENGTH).status == 201


@pytest.mark.parametrize(
    "product",
    [
        None,
        replace(STARTER_PACK, active=False),
        replace(STARTER_PACK, sale_from=NOW + 1),
        replace(STARTER_PACK, sale_until=NOW),
    ],
    ids=["unknown", "inactive", "not yet", "no more"],
)
def test_what_is_not_on_sale_is_not_found(workflow: Workflow, product: Product | None) -> None:
    if product:
        adapters().products.put(product)
    asked = order() if product else order(product_id="no_such_pack")
    assert Client(workflow).post("/checkout", asked).refused == (404, "NotFound")
    assert (purchase_ids(workflow), workflow.stripe_api.asked) == (set(), [])


def test_while_stripe_is_down_the_order_waits_and_its_key_opens_it_later(workflow: Workflow) -> None:
    client = Client(workflow)
    workflow.stripe_api.down = True
    refused = client.post("/checkout", order(), "first")
    assert (refused.refused, refused.headers["retry-after"]) == ((503, "StripeUnavailable"), "5")
    [waiting] = purchase_ids(workflow)
    assert workflow.purchase(waiting).session_id is None
    workflow.stripe_api.down = False
    workflow.now += LATEST_OPENING_SECONDS
    opened = client.post("/checkout", order(), "first").ok()
    assert (opened["purchase_id"], opened["session_id"]) == (waiting, created_session(waiting)["id"])
    assert workflow.purchase(waiting).session_id == created_session(waiting)["id"]
    assert purchase_ids(workflow) == {waiting}


def test_an_order_that_was_not_opened_for_25_minutes_needs_a_new_key(workflow: Workflow) -> None:
    client = Client(workflow)
    workflow.stripe_api.down = True
    client.post("/checkout", order(), "first")
    workflow.stripe_api.down = False
    workflow.stripe_api.asked.clear()
    workflow.now += LATEST_OPENING_SECONDS + 1
    assert client.post("/checkout", order(), "first").refused == (409, "CheckoutExpired")
    assert workflow.stripe_api.asked == []
    assert client.post("/checkout", order(), "second").status == 201


def test_a_session_that_could_not_be_written_down_is_opened_again_by_its_key(workflow: Workflow) -> None:
    client = Client(workflow)
    workflow.fail_call("api", "UpdateItem", "ThrottlingException")
    assert client.post("/checkout", order(), "first").refused == (503, "ServiceUnavailable")
    [waiting] = purchase_ids(workflow)
    assert client.post("/checkout", order(), "first").ok()["purchase_id"] == waiting
    assert workflow.stripe_api.asked == [OPENING] * 2
