"""Every call of the stand-in names the page that it follows, and refuses what that page refuses."""

import re
from collections.abc import Iterator

import pytest
import requests

from local.stripe.api import Call
from local.stripe.routes import CALLS
from tests.integration.stripe_shop import API_VERSION, PATIENCE_SECONDS, Shop

PAGE = re.compile(r"https://(docs\.stripe\.com|github\.com/stripe)/\S+")
UNDOCUMENTED = ("/v1/payment_pages", "/v1/stripecli")
"""What Stripe's CLI alone asks for; the module of these calls names its source."""

NAMES = [f"{call.method} {call.path}" for call in CALLS]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


def send(shop: Shop, call: Call, key: str = "sk_test_nyanko", **params: str) -> requests.Response:
    """The call about an object that does not exist."""
    return requests.request(
        call.method,
        shop.stand_in.url + re.sub(r"<\w+>", "xx_nobody", call.path),
        params=params,
        headers={"Authorization": f"Bearer {key}", "Stripe-Version": API_VERSION},
        timeout=PATIENCE_SECONDS,
    )


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
def test_every_call_names_its_page(call: Call) -> None:
    told = call.handler.__doc__ or ""
    if call.path.startswith(UNDOCUMENTED):
        module = __import__(call.handler.__module__, fromlist=["__doc__"]).__doc__ or ""
        told += module
    assert PAGE.search(told), f"{call.handler.__name__} names no page"


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
def test_every_call_refuses_a_parameter_that_its_page_does_not_know(shop: Shop, call: Call) -> None:
    """https://docs.stripe.com/error-codes#parameter-unknown"""
    answer = send(shop, call, colour="red")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "parameter_unknown")
    assert answer.json()["error"]["doc_url"].startswith("https://docs.stripe.com/error-codes#")


@pytest.mark.parametrize("call", [call for call in CALLS if "<" in call.path and "/pages" not in call.path])
def test_every_call_about_one_object_refuses_an_unknown_one(shop: Shop, call: Call) -> None:
    """https://docs.stripe.com/error-codes#resource-missing"""
    required = {"payment_method": "pm_nobody"} if call.path.endswith("/confirm") else {}
    answer = send(shop, call, **required)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")
    assert "xx_nobody" in answer.json()["error"]["message"]


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
def test_every_call_takes_a_right(shop: Shop, call: Call) -> None:
    """https://docs.stripe.com/keys/restricted-api-keys"""
    nothing = "product:read" if "/products" not in call.path else "event:read"
    key = shop.act("POST", "/dashboard/api_keys", {"rights": nothing}).json()["key"]
    answer = send(shop, call, key)
    right = "read" if call.method == "GET" else "write"
    assert answer.status_code == 403
    assert re.search(rf"'rak_\w+_{right}'", answer.json()["error"]["message"])
