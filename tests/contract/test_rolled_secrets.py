"""Every secret is rolled under a warm process, and every adapter that uses it uses the new one in time.

Nothing that is cached may close over a secret's value: five minutes after a new one is stored, and at once
when Stripe refuses the old one, a process that goes on running has it.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
import stripe
from flask import Flask, jsonify, request

from nyanko.adapters.secretsmanager_secrets import MAX_AGE_SECONDS
from nyanko.adapters.stripe_client import stripe_errors
from nyanko.composition import function
from nyanko.composition.adapters import Adapters
from nyanko.errors import Retryable
from nyanko.purchases import Purchase
from tests import template
from tests.data import MIKE, STARTER_PACK
from tests.served import served
from tests.stripe_events import SECRET, dispute_event, session_event, signature, signed
from tests.workflow import lambda_runtime
from tests.workflow.api import Client, order
from tests.workflow.engine import PREFIX, SECRETS, Workflow
from tests.workflow.stripe_api import Answer, StripeApi, _error

OLD_KEY, NEW_KEY = SECRETS["stripe_api_key"], "rk_test_rolled"
LATER = MAX_AGE_SECONDS + 1
UNAUTHORIZED, FORBIDDEN = 401, 403


class GuardedStripe(StripeApi):
    """Lets in the keys in `accepted`, and answers everybody else with `refusal`; `used` are the keys it was
    shown."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted = {OLD_KEY}
        self.refusal = UNAUTHORIZED
        self.used: list[str] = []

    def request(self, method: str, url: str, *headers_and_body: Any, **options: Any) -> Answer:
        key = headers_and_body[0]["Authorization"].removeprefix("Bearer ")
        self.used.append(key)
        if key in self.accepted:
            return self._answer(method, url, *headers_and_body, **options)
        if self.refusal == FORBIDDEN:
            return _error(403, "invalid_request_error", "The key 'rk_****' lacks rak_charge_read on acct_1.")
        return _error(401, "invalid_request_error", f"Invalid API Key provided: {key[:7]}****")

    def _answer(self, method: str, url: str, *headers_and_body: Any, **options: Any) -> Answer:
        try:
            return super().request(method, url, *headers_and_body, **options)
        except NotImplementedError:
            # What is answered is no matter here; it was let in.
            return _error(404, "invalid_request_error", "No such object")


@pytest.fixture
def stripe_api(workflow: Workflow) -> GuardedStripe:
    guarded = workflow.stripe_api = GuardedStripe()
    return guarded


@pytest.fixture
def store(workflow: Workflow) -> Iterator[Callable[[str, str], None]]:  # noqa: ARG001 it must run
    """Stores a secret as an operator does, under its noun; the values of before are restored afterwards."""
    secrets = boto3.client("secretsmanager")

    def put(noun: str, value: str) -> None:
        secrets.put_secret_value(SecretId=f"{PREFIX}_{noun}", SecretString=value)

    yield put
    for noun, value in SECRETS.items():
        put(noun, value)


@pytest.fixture
def warm(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """A workflow whose functions keep what they have built from one invocation to the next."""
    monkeypatch.setattr(lambda_runtime, "forget_adapters", lambda **_: None)
    return workflow


def adapters_of(workflow: Workflow, joinmake_url: str = "https://joinmake.test") -> Adapters:
    """All adapters of one process that goes on running."""
    settings = {
        "STAGE": template.STAGE,
        "STRIPE_API_URL": "https://stripe.test",
        "FRONTEND_URL": "https://game.test",
        "JOINMAKE_API_URL": joinmake_url,
    }
    return Adapters(settings, function.aws_clients(), lambda: workflow.now)


# ─── Stripe's API key ───────────────────────────────────────────────────────────────────────────────────────


def bare(adapters: Adapters) -> object:
    with stripe_errors():
        return adapters.stripe.client.v1.events.retrieve("evt_1")


USES: dict[str, Callable[[Adapters, Purchase], object]] = {
    "stripe": lambda adapters, _: bare(adapters),
    "stripe_checkout": lambda adapters, purchase: adapters.stripe_checkout.open_session(purchase),
    "stripe_lookups": lambda adapters, _: adapters.stripe_lookups.session_of("pi_mike"),
    "stripe_records": lambda adapters, _: adapters.stripe_records.refunds_of("pi_mike"),
    "stripe_refunds": lambda adapters, _: adapters.stripe_refunds.of_payment("pi_mike"),
    "stripe_endpoints": lambda adapters, _: adapters.stripe_endpoints.at("https://shop.test/stripe/webhook"),
}
"""One call of each adapter that speaks to Stripe."""


def stripe_adapters() -> set[str]:
    """The properties of `Adapters` that speak to Stripe, by their types."""
    built = {
        name: inspect.get_annotations(found.func)["return"]
        for name, found in vars(Adapters).items()
        if hasattr(found, "func")
    }
    return {name for name, returned in built.items() if str(returned).startswith("Stripe")}


def use(adapters: Adapters, purchase: Purchase, name: str) -> None:
    """Whatever Stripe says to it, so long as it lets it in."""
    with suppress(stripe.InvalidRequestError):
        USES[name](adapters, purchase)


def test_every_adapter_that_speaks_to_stripe_is_looked_at() -> None:
    assert set(USES) == stripe_adapters()


@pytest.mark.parametrize("name", USES)
def test_a_new_key_is_in_use_after_five_minutes_and_at_once_when_stripe_refuses_the_old_one(
    warm: Workflow, stripe_api: GuardedStripe, store: Callable[[str, str], None], name: str
) -> None:
    adapters, purchase = adapters_of(warm), warm.sell()
    use(adapters, purchase, name)
    store("stripe_api_key", NEW_KEY)
    stripe_api.accepted |= {NEW_KEY}
    use(adapters, purchase, name)
    assert set(stripe_api.used) == {OLD_KEY}, "the old one is still good"
    warm.now += LATER
    stripe_api.used.clear()
    use(adapters, purchase, name)
    assert set(stripe_api.used) == {NEW_KEY}
    store("stripe_api_key", OLD_KEY)
    stripe_api.accepted = {OLD_KEY}
    stripe_api.used.clear()
    use(adapters, purchase, name)
    use(adapters, purchase, name)
    assert stripe_api.used == [NEW_KEY, OLD_KEY, OLD_KEY]


@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize("refusal", [UNAUTHORIZED, FORBIDDEN])
def test_a_key_that_stripe_goes_on_refusing_may_be_mended_later(
    warm: Workflow, stripe_api: GuardedStripe, refusal: int, name: str
) -> None:
    adapters, purchase = adapters_of(warm), warm.sell()
    stripe_api.accepted, stripe_api.refusal = set(), refusal
    with pytest.raises(Retryable) as raised:
        use(adapters, purchase, name)
    assert raised.value.code == "StripeRefusesKey"
    assert ("rak_charge_read" in raised.value.message) == (refusal == FORBIDDEN)
    assert "****" not in raised.value.message, "no part of a key is told"
    assert len(stripe_api.used) == 1, "the same key is not tried again"


def test_while_stripe_refuses_the_key_checkouts_are_503_and_events_wait(
    warm: Workflow, stripe_api: GuardedStripe, store: Callable[[str, str], None]
) -> None:
    adapters_of(warm).products.put(STARTER_PACK)
    client = Client(warm)
    client.post("/checkout", order()).ok()
    stripe_api.accepted = {NEW_KEY}
    assert client.post("/checkout", order(), "waits").refused == (503, "StripeRefusesKey")
    purchase = warm.sell()
    stripe_api.charges["ch_mike"] = {"object": "charge", "payment_intent": "pi_mike"}
    warm.deliver(signed(session_event("completed", purchase)))
    disputed = dispute_event("created", purchase, payment_intent=None)
    # The key is mended while the event waits for its third attempt.
    warm.meanwhile("VerifyEvent", lambda: None)
    warm.meanwhile("VerifyEvent", lambda: None)
    warm.meanwhile("VerifyEvent", lambda: store("stripe_api_key", NEW_KEY))
    assert warm.deliver(signed(disputed)).status == "SUCCEEDED"
    assert [one.state for one in warm.backoff] == ["VerifyEvent"] * 2
    assert client.post("/checkout", order(), "waits").status == 201


# ─── The webhook's signing secrets ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stored", ["whsec_new", "we_new whsec_new", "we_new whsec_new\nwe_old whsec_older"])
def test_five_minutes_after_it_is_stored_a_new_signing_secret_is_in_force(
    warm: Workflow, store: Callable[[str, str], None], stored: str
) -> None:
    """The webhook's function and VerifyEvent ask for it at every use; both read every form of the secret."""
    purchase = warm.sell(quantity=1)
    paid = session_event("completed", purchase)
    assert posted(warm, paid, SECRET) == 200
    store("stripe_webhook_secrets", stored)
    assert posted(warm, paid, "whsec_new") == 400
    warm.now += LATER
    assert posted(warm, paid, "whsec_new") == 200
    assert posted(warm, paid, SECRET) == 400
    assert posted(warm, paid, "we_new") == 400, "an endpoint's id is no secret"
    assert warm.deliver(signed(paid, "whsec_new", warm.now)).status == "SUCCEEDED"
    old = signed(session_event("expired", purchase), SECRET, warm.now)
    warm.deliver(old)
    assert warm.event_row(old["event_id"])["parked_reason"] == "BadSignature"


def posted(workflow: Workflow, event: Any, secret: str) -> int:
    body = signed(event, secret, workflow.now)["body"]
    answered = workflow.invoke(
        "stripe_webhook",
        {
            "headers": {"Stripe-Signature": signature(body.encode(), secret, workflow.now)},
            "body": body,
            "isBase64Encoded": False,
        },
    )
    return int(answered["statusCode"])


# ─── Join&make's API key ────────────────────────────────────────────────────────────────────────────────────


def test_five_minutes_after_it_is_stored_a_new_joinmake_key_is_the_one_in_use(
    warm: Workflow, store: Callable[[str, str], None]
) -> None:
    used: list[str] = []

    def create(_base_url: str) -> Flask:
        app = Flask(__name__)

        @app.get("/users/<subject>")
        def user(subject: str) -> Any:
            used.append(request.headers["X-Api-Key"])
            return jsonify(user_id="user", subject=subject, display_name=None, birth_month=None)

        return app

    with served(create) as url:
        adapters = adapters_of(warm, url)
        adapters.joinmake.player(MIKE.player_id, warm.now)
        store("joinmake_api_key", "rolled")
        warm.now += LATER
        adapters.joinmake.player(MIKE.player_id, warm.now)
    assert used == [SECRETS["joinmake_api_key"], "rolled"]
