"""What the stand-in refuses of the calls that `stripe trigger` makes."""

from typing import Any

import pytest
import requests
import stripe

from tests.integration.stripe_shop import PATIENCE_SECONDS, Shop


def method(shop: Shop, token: str = "tok_visa") -> str:
    params: Any = {"type": "card", "card": {"token": token}}
    return shop.stripe.v1.payment_methods.create(params).id


def confirm(shop: Shop, session_id: str, method_id: str, **params: int) -> requests.Response:
    return requests.post(
        f"{shop.stand_in.url}/v1/payment_pages/{session_id}/confirm",
        data={"payment_method": method_id, **params},
        headers={"Authorization": "Bearer sk_test_nyanko"},
        timeout=PATIENCE_SECONDS,
    )


def test_a_payment_page_is_paid_once(shop: Shop) -> None:
    session = shop.sell()
    assert confirm(shop, session.id, method(shop), expected_amount=1000).json()["status"] == "complete"
    assert shop.session(session.id).payment_status == "paid"
    assert confirm(shop, session.id, method(shop)).status_code == 400
    assert len(shop.stripe.v1.charges.list().data) == 1


@pytest.mark.parametrize(
    ("token", "amount", "status", "code"),
    [("tok_visa", 999, 400, None), ("tok_chargeDeclined", 1000, 402, "card_declined")],
)
def test_a_payment_page_is_not_paid(
    shop: Shop, token: str, amount: int, status: int, code: str | None
) -> None:
    session = shop.sell()
    refused = confirm(shop, session.id, method(shop, token), expected_amount=amount)
    assert (refused.status_code, refused.json()["error"].get("code")) == (status, code)
    assert shop.session(session.id).status == "open"


def test_unknown_things_are_resource_missing(shop: Shop) -> None:
    assert confirm(shop, "cs_test_nobody", method(shop)).status_code == 404
    assert confirm(shop, shop.sell().id, "pm_nobody").json()["error"]["code"] == "resource_missing"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.prices.create({"product": "prod_nobody", "unit_amount": 1, "currency": "jpy"})
    assert refusal.value.code == "resource_missing"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.sell(line_items=[{"price": "price_nobody", "quantity": 1}])
    assert refusal.value.param == "line_items"
