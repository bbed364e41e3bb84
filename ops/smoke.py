"""Whether a deployment does what it is for: looked at from outside, and by buying something in test mode."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import requests

from nyanko.errors import Retryable
from nyanko.stripe_events import API_VERSION
from ops import webhook
from ops.stages import Stage, StageError

if TYPE_CHECKING:
    import stripe

PATIENCE_SECONDS = 120
POLL_SECONDS = 1.0
TIMEOUT_SECONDS = 30


class Broken(Exception):
    """The deployment does not do what it is for; the text says where it stopped."""


@dataclass(frozen=True, slots=True)
class Look:
    what: str
    well: bool
    seen: str


def direct_url(stage: Stage) -> str:
    """The REST API's own address, which nobody is to use."""
    stacks = stage.clients("cloudformation").describe_stacks(StackName=f"{stage.name}-jm-nyanko")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    return str(outputs["RestApiUrl"])


def look(api: str, direct: str, version: str | None) -> Iterator[Look]:
    """Ask the API at `api` for what everybody may know, and the same API at `direct`, past CloudFront."""
    with requests.Session() as http:
        http.trust_env = False
        health = http.get(f"{api}/health", timeout=TIMEOUT_SECONDS)
        deployed = health.json().get("version") if health.ok else None
        yield Look("the API is up", health.ok, f"{health.status_code}")
        if version is not None:
            yield Look("and is the version that was deployed", deployed == version, str(deployed))
        products = http.get(f"{api}/products", timeout=TIMEOUT_SECONDS)
        sold = len(products.json()["products"]) if products.ok else 0
        yield Look("something is sold", sold > 0, f"{products.status_code}, {sold} products")
        unsigned = http.post(f"{api}/stripe/webhook", data=b"{}", timeout=TIMEOUT_SECONDS)
        yield Look("nobody but Stripe is believed", unsigned.status_code == 400, f"{unsigned.status_code}")
        past = http.get(f"{direct}/health", timeout=TIMEOUT_SECONDS)
        yield Look("nobody gets past CloudFront", past.status_code == 403, f"{past.status_code}")


def look_at_stripe(stage: Stage) -> Iterator[Look]:
    """Ask Stripe which API versions it sends and returns events in.

    Whoever may not read Stripe's key, as the deployment, does not look, and that is well.
    """
    try:
        versions = webhook.versions(stage)
    except (StageError, Retryable) as error:
        not_ours = isinstance(error, StageError) or error.code == "ServiceUnavailable"
        yield Look("Stripe lets us in", not_ours, f"not looked at: {error}" if not_ours else str(error))
        return
    endpoint = versions.endpoint if versions else f"there is no endpoint for {stage.webhook_url}"
    yield Look("Stripe delivers in our API version", endpoint == API_VERSION, str(endpoint))
    if versions and versions.account:
        differs = (
            "" if versions.account == API_VERSION else f", not {API_VERSION}: what is fetched comes in it"
        )
        yield Look("the account's default API version", well=True, seen=versions.account + differs)


def buy(stage: Stage, pay: Callable[[Mapping[str, Any]], object]) -> Mapping[str, Any]:
    """Buy the cheapest product as a player of this purchase's own, and return the granted purchase.

    `pay` is given the checkout and pays. The API function is called as API Gateway calls it once the
    authorizer has let somebody in: no token of Web3Auth's can be had without a person. Raises `Broken`.
    """
    player_id = f"smoke-{uuid4().hex}"
    product = min(
        _call(stage, player_id, "GET", "/products")["products"], key=lambda sold: sold["unit_amount"]
    )
    order = {"product_id": product["product_id"], "quantity": 1}
    checkout = _call(stage, player_id, "POST", "/checkout", order)
    pay(checkout)
    path = f"/purchases/{checkout['purchase_id']}"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (purchase := _call(stage, player_id, "GET", path))["status"] != "granted":
        if time.monotonic() > deadline:
            raise Broken(f"{path} is {purchase['status']} {PATIENCE_SECONDS} seconds after it was paid")
        time.sleep(POLL_SECONDS)
    items = {row["item_id"]: row["quantity"] for row in _call(stage, player_id, "GET", "/inventory")["items"]}
    if items != product["items"]:
        raise Broken(f"{path} is granted, but the inventory has {items} instead of {product['items']}")
    return purchase


def payment_in_test_mode(stage: Stage) -> Callable[[Mapping[str, Any]], object]:
    """Pays a Checkout Session without a browser, by the calls that `stripe trigger` makes for the same end
    (https://github.com/stripe/stripe-cli, checkout.session.completed.json).

    Raises `StageError` if the stage's key would move real money.
    """
    api_key = stage.adapters.secrets.stripe_api_key()
    if not api_key.startswith(("sk_test_", "rk_test_")):
        raise StageError(f"Stripe's key of {stage.name} is not one of test mode")
    client = stage.adapters.stripe.client

    def pay(checkout: Mapping[str, Any]) -> object:
        page = _raw(client, "get", f"/v1/payment_pages/{checkout['session_id']}")
        card = client.v1.payment_methods.create(
            {
                "type": "card",
                "card": {"token": "tok_visa"},
                "billing_details": {"email": "smoke@example.com", "name": "Smoke"},
            }
        )
        return _raw(
            client,
            "post",
            f"/v1/payment_pages/{page['id']}/confirm",
            payment_method=card.id,
            expected_amount=checkout["amount"],
        )

    return pay


def _raw(client: "stripe.StripeClient", method: str, path: str, **parameters: str | int) -> dict[str, Any]:
    answered: dict[str, Any] = json.loads(client.raw_request(method, path, **parameters).data)
    return answered


def _call(
    stage: Stage, player_id: str, method: str, path: str, body: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    event = {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json", "Idempotency-Key": player_id},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "authorizer": {"player_id": player_id, "birth_month": ""},
            "httpMethod": method,
            "path": path,
            "requestId": str(uuid4()),
            "stage": stage.name,
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
    answered = stage.clients("lambda", read_timeout_seconds=TIMEOUT_SECONDS).invoke(
        FunctionName=f"{stage.name}_jm_nyanko_api", Payload=json.dumps(event).encode()
    )
    answer = json.loads(answered["Payload"].read())
    if answer.get("statusCode") not in {200, 201}:
        raise Broken(f"{method} {path} answered {answer}")
    found: dict[str, Any] = json.loads(answer["body"])
    return found
