"""What the stand-in refuses as Stripe does: keys, rights, unknown ids, deep expansion, too many calls."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import stripe

from tests.integration.stripe_shop import PATIENCE_SECONDS, Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


def client(shop: Shop, key: str, retries: int = 0) -> stripe.StripeClient:
    return stripe.StripeClient(key, base_addresses={"api": shop.stand_in.url}, max_network_retries=retries)


def first_key(shop: Shop) -> str:
    [key] = shop.stand_in.account.keys
    return key


def restricted(shop: Shop, *rights: str) -> stripe.StripeClient:
    made = shop.act("POST", "/dashboard/api_keys", {"rights": ",".join(rights)}).json()
    assert made["key"].startswith("rk_test_")
    return client(shop, made["key"])


def code_of(refusal: stripe.StripeError) -> str | None:
    """The code in the answer, which the SDK does not take over for each kind."""
    return refusal.error.code if refusal.error is not None else None


def payment_of(shop: Shop) -> str:
    session = shop.sell_and_pay()
    assert isinstance(session.payment_intent, str)
    return session.payment_intent


# Keys


@pytest.mark.parametrize("key", ["sk_test_of_somebody_else", "rk_test_nyanko", "pk_test_nyanko", "nonsense"])
def test_a_key_that_is_not_the_accounts_own_is_401(shop: Shop, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError) as refusal:
        client(shop, key).v1.events.list()
    assert refusal.value.http_status == 401
    assert refusal.value.error is not None
    assert refusal.value.error.type == "invalid_request_error"
    assert "Invalid API Key provided" in str(refusal.value)
    assert key not in str(refusal.value)


def test_a_key_rolled_at_once_no_longer_works(shop: Shop) -> None:
    rolled = shop.act("POST", f"/dashboard/api_keys/{first_key(shop)}/roll").json()
    with pytest.raises(stripe.AuthenticationError) as refusal:
        shop.stripe.v1.events.list()
    assert code_of(refusal.value) == "api_key_expired"
    assert client(shop, rolled["key"]).v1.events.list().data == []


def test_a_key_rolled_with_an_overlap_works_until_it_expires(shop: Shop) -> None:
    path = f"/dashboard/api_keys/{first_key(shop)}/roll"
    assert shop.act("POST", path, {"expires_in": 604_801}).status_code == 400
    rolled = shop.act("POST", path, {"expires_in": 3600}).json()
    assert shop.stripe.v1.events.list().data == client(shop, rolled["key"]).v1.events.list().data
    shop.clock.ahead = 3601
    with pytest.raises(stripe.AuthenticationError):
        shop.stripe.v1.events.list()
    assert client(shop, rolled["key"]).v1.events.list().data == []


def test_only_a_known_key_is_rolled(shop: Shop) -> None:
    assert shop.act("POST", "/dashboard/api_keys/mk_nobody/roll").status_code == 404


def test_a_restricted_key_without_the_right_is_403_and_hears_which(shop: Shop) -> None:
    payment = payment_of(shop)
    reader = restricted(shop, "charge:read")
    assert len(reader.v1.charges.list().data) == 1
    assert reader.v1.refunds.list().data == []
    with pytest.raises(stripe.PermissionError, match="rak_charge_write") as refusal:
        reader.v1.refunds.create({"payment_intent": payment})
    assert refusal.value.http_status == 403
    with pytest.raises(stripe.PermissionError, match="rak_event_read"):
        reader.v1.events.list()


def test_who_may_write_may_read(shop: Shop) -> None:
    session = restricted(shop, "checkout_session:write").v1.checkout.sessions.create(shop.order())
    assert (
        restricted(shop, "checkout_session:read").v1.checkout.sessions.retrieve(session.id).id == session.id
    )


def test_what_is_expanded_has_to_be_readable_too(shop: Shop) -> None:
    payment_of(shop)
    params: Any = {"expand": ["data.payment_intent.latest_charge"]}
    half = restricted(shop, "checkout_session:read", "payment_intent:read")
    with pytest.raises(stripe.PermissionError, match="rak_charge_read"):
        half.v1.checkout.sessions.list(params)
    whole = restricted(shop, "checkout_session:read", "payment_intent:read", "charge:read")
    assert len(whole.v1.checkout.sessions.list(params).data) == 1


def test_a_rolled_restricted_key_keeps_its_rights(shop: Shop) -> None:
    made = shop.act("POST", "/dashboard/api_keys", {"rights": "event:read"}).json()
    rolled = shop.act("POST", f"/dashboard/api_keys/{made['id']}/roll").json()
    assert rolled["rights"] == {"event": "read"}
    with pytest.raises(stripe.PermissionError):
        client(shop, rolled["key"]).v1.charges.list()
    assert shop.act("POST", "/dashboard/api_keys", {"rights": "cats:pet"}).status_code == 400


def test_the_dashboard_lists_keys_without_showing_them(shop: Shop) -> None:
    made = shop.act("POST", "/dashboard/api_keys").json()
    page = shop.get("/dashboard").text
    assert f'action="/dashboard/api_keys/{made["id"]}/roll"' in page
    assert made["key"] not in page


# Unknown ids


@pytest.mark.parametrize(
    ("noun", "name"),
    [
        ("charges", "payment_intent"),
        ("refunds", "charge"),
        ("refunds", "payment_intent"),
        ("disputes", "charge"),
        ("disputes", "payment_intent"),
        ("checkout/sessions", "payment_intent"),
    ],
)
def test_a_filter_by_an_unknown_id_is_resource_missing(shop: Shop, noun: str, name: str) -> None:
    answer = requests.get(
        f"{shop.stand_in.url}/v1/{noun}",
        params={name: "xx_nobody"},
        headers={"Authorization": "Bearer sk_test_nyanko"},
        timeout=PATIENCE_SECONDS,
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "resource_missing", name)
    assert error["message"] == f"No such {name}: 'xx_nobody'"


def test_a_page_after_an_unknown_id_is_resource_missing(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.charges.list({"starting_after": "ch_nobody"})
    assert (refusal.value.code, refusal.value.param) == ("resource_missing", "starting_after")


# Expansion


def test_expansion_ends_at_four_levels(shop: Shop) -> None:
    payment_of(shop)
    sessions = shop.stripe.v1.checkout.sessions
    deep = sessions.list({"expand": ["data.payment_intent.latest_charge.balance_transaction"]}).data[0]
    assert isinstance(deep.payment_intent, stripe.PaymentIntent)
    assert isinstance(deep.payment_intent.latest_charge, stripe.Charge)
    assert isinstance(deep.payment_intent.latest_charge.balance_transaction, stripe.BalanceTransaction)
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels") as refusal:
        sessions.list({"expand": ["data.payment_intent.latest_charge.balance_transaction.source"]})
    assert refusal.value.param == "expand"
    with pytest.raises(stripe.InvalidRequestError):
        shop.sell(expand=["a.b.c.d.e"])
    assert len(sessions.list().data) == 1


# Rate limit


def test_calls_over_the_limit_are_429_and_do_nothing(shop: Shop) -> None:
    shop.act("PUT", "/dashboard/chaos", {"rate_limit": 2})
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError) as refusal:
            shop.sell()
        assert (refusal.value.http_status, code_of(refusal.value)) == (429, "rate_limit")
        assert (refusal.value.headers or {})["Stripe-Rate-Limited-Reason"] == "global-rate"
    assert shop.sell().status == "open"
    assert len(shop.stripe.v1.checkout.sessions.list().data) == 1


# Idempotency


def test_a_refund_that_failed_later_is_still_the_answer_of_its_key(shop: Shop) -> None:
    payment = payment_of(shop)
    create = shop.stripe.v1.refunds.create
    refund = create({"payment_intent": payment}, {"idempotency_key": "refund-1"})
    shop.act("POST", f"/dashboard/refunds/{refund.id}/fail", {"failure_reason": "lost_or_stolen_card"})
    again = create({"payment_intent": payment}, {"idempotency_key": "refund-1"})
    assert (again.id, again.status) == (refund.id, "succeeded")
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert shop.stripe.v1.refunds.retrieve(refund.id).status == "failed"
    second = create({"payment_intent": payment}, {"idempotency_key": "refund-2"})
    assert (second.id != refund.id, second.status, second.amount) == (True, "succeeded", 1000)


def test_a_key_is_forgotten_after_24_hours(shop: Shop) -> None:
    payment = payment_of(shop)
    params: Any = {"payment_intent": payment, "amount": 300}
    first = shop.stripe.v1.refunds.create(params, {"idempotency_key": "refund-1"})
    shop.clock.ahead = 24 * 3600 - 60
    assert shop.stripe.v1.refunds.create(params, {"idempotency_key": "refund-1"}).id == first.id
    shop.clock.ahead = 24 * 3600 + 1
    assert shop.stripe.v1.refunds.create(params, {"idempotency_key": "refund-1"}).id != first.id


def test_a_refusal_of_a_call_that_had_begun_is_repeated_too(shop: Shop) -> None:
    """https://docs.stripe.com/api/idempotent_requests: the first answer, whether it succeeds or fails."""
    payment = payment_of(shop)
    refund = shop.stripe.v1.refunds.create({"payment_intent": payment})

    def replayed() -> str | None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            shop.stripe.v1.refunds.create({"payment_intent": payment}, {"idempotency_key": "refund-2"})
        assert refusal.value.code == "charge_already_refunded"
        return (refusal.value.headers or {}).get("Idempotent-Replayed")

    assert replayed() is None
    shop.act("POST", f"/dashboard/refunds/{refund.id}/fail")
    assert replayed() == "true"


def test_a_pending_refund_is_canceled_and_another_is_made(shop: Shop) -> None:
    session = shop.sell()
    assert session.url is not None
    buyer = {"payment_method": "konbini", "email": "mistyped@nyanko.example", "name": "たま"}
    shop.post(session.url, buyer)
    payment = shop.session(session.id).payment_intent
    assert isinstance(payment, str)
    shop.post(f"/c/voucher/{payment}/pay")
    wrong = shop.stripe.v1.refunds.create({"payment_intent": payment}, {"idempotency_key": "refund-1"})
    assert wrong.status == "requires_action"
    assert shop.act("POST", f"/dashboard/refunds/{wrong.id}/cancel").json()["status"] == "canceled"
    assert shop.act("POST", f"/dashboard/refunds/{wrong.id}/cancel").status_code == 400
    right: Any = {"payment_intent": payment, "instructions_email": "tama@nyanko.example"}
    with pytest.raises(stripe.IdempotencyError) as refusal:
        shop.stripe.v1.refunds.create(right, {"idempotency_key": "refund-1"})
    assert refusal.value.http_status == 400
    assert shop.stripe.v1.refunds.create(right, {"idempotency_key": "refund-2"}).status == "requires_action"


# A second payment


def test_two_sessions_with_the_same_metadata_are_both_paid(shop: Shop) -> None:
    """Fulfillment is of sessions, not of what their metadata names
    (https://docs.stripe.com/checkout/fulfillment)."""
    first, second = shop.sell_and_pay(), shop.sell_and_pay()
    assert first.metadata == second.metadata
    assert (first.payment_status, second.payment_status) == ("paid", "paid")
    assert first.payment_intent != second.payment_intent
    refund = shop.stripe.v1.refunds.create({"payment_intent": str(second.payment_intent)})
    assert refund.payment_intent == second.payment_intent
    [kept] = shop.stripe.v1.charges.list({"payment_intent": str(first.payment_intent)}).data
    assert kept.amount_refunded == 0
    assert shop.event_types().count("checkout.session.completed") == 2
    assert shop.post(f"/c/pay/{first.id}", {"card_number": "4242424242424242"}).status_code == 303
    assert len(shop.stripe.v1.charges.list().data) == 2


def test_another_program_takes_money_with_our_metadata_and_without_a_session(shop: Shop) -> None:
    ours = shop.sell_and_pay()
    theirs = shop.stripe.v1.payment_intents.create(
        {
            "amount": 1500,
            "currency": "jpy",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": ours.metadata.to_dict() if ours.metadata else {},
        }
    )
    assert (theirs.status, theirs.amount_received) == ("succeeded", 1500)
    assert shop.stripe.v1.checkout.sessions.list({"payment_intent": theirs.id}).data == []
    refund = shop.stripe.v1.refunds.create({"payment_intent": theirs.id})
    assert refund.payment_intent == theirs.id
    assert shop.act("POST", f"/dashboard/charges/{refund.charge}/disputes").status_code == 400
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.payment_intents.confirm(theirs.id)
    assert refusal.value.code == "payment_intent_unexpected_state"


def test_a_payment_without_a_session_is_declined_and_paid_with_another_card(shop: Shop) -> None:
    create = shop.stripe.v1.payment_intents.create
    with pytest.raises(stripe.CardError) as declined:
        create(
            {"amount": 500, "currency": "jpy", "payment_method": "pm_card_chargeDeclined", "confirm": True}
        )
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    [intent] = shop.stripe.v1.payment_intents.list().data
    assert intent.status == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        shop.stripe.v1.payment_intents.confirm(intent.id)
    assert shop.stripe.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == (
        "succeeded"
    )
    old: Any = {"amount": 500, "currency": "jpy", "payment_method_types": ["card"]}
    assert create(old, {"stripe_version": "2025-03-31.basil"}).status == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        create(old)
    assert refusal.value.code == "payment_method_types_no_longer_supported"
