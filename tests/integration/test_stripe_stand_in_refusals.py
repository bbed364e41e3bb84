"""What the stand-in refuses as Stripe does: keys, rights, unknown ids, deep expansion, too many calls."""

from typing import Any

import pytest
import requests
import stripe

from tests.integration.stripe_shop import PATIENCE_SECONDS, Shop


def client(shop: Shop, key: str) -> stripe.StripeClient:
    return stripe.StripeClient(key, base_addresses={"api": shop.stand_in.url}, max_network_retries=0)


def restricted(shop: Shop, *rights: str) -> stripe.StripeClient:
    made = shop.act("POST", "/dashboard/api_keys", {"rights": ",".join(rights)}).json()
    assert made["key"].startswith("rk_test_")
    return client(shop, made["key"])


def code_of(refusal: stripe.StripeError) -> str | None:
    """The code in the answer, which the SDK does not take over for each kind."""
    return refusal.error.code if refusal.error is not None else None


def payment_of(shop: Shop) -> str:
    return str(shop.sell_and_pay().payment_intent)


# Keys


@pytest.mark.parametrize("key", ["sk_test_of_somebody_else", "rk_test_nyanko", "pk_test_nyanko", "nonsense"])
def test_a_key_that_is_not_the_accounts_own_is_401(shop: Shop, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided") as refusal:
        client(shop, key).v1.events.list()
    assert refusal.value.http_status == 401
    assert refusal.value.error is not None
    assert refusal.value.error.type == "invalid_request_error"
    assert key not in str(refusal.value)
    assert shop.get("/v1/events").status_code == 401


@pytest.mark.parametrize("overlap", [0, 3600])
def test_a_rolled_key_works_until_it_expires_and_no_longer(shop: Shop, overlap: int) -> None:
    [first] = shop.stand_in.account.keys
    path = f"/dashboard/api_keys/{first}/roll"
    assert shop.act("POST", path, {"expires_in": 604_801}).status_code == 400
    rolled = shop.act("POST", path, {"expires_in": overlap}).json()
    if overlap:
        assert shop.stripe.v1.events.list().data == []
    shop.clock.ahead = overlap + 1
    with pytest.raises(stripe.AuthenticationError) as refusal:
        shop.stripe.v1.events.list()
    assert code_of(refusal.value) == "api_key_expired"
    assert client(shop, rolled["key"]).v1.events.list().data == []
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
    writer = restricted(shop, "checkout_session:write")
    session = writer.v1.checkout.sessions.create(shop.order())
    assert writer.v1.checkout.sessions.retrieve(session.id).id == session.id


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


# Unknown ids


@pytest.mark.parametrize(
    ("noun", "name", "value"),
    [
        ("charges", "payment_intent", "No such payment_intent: 'xx_nobody'"),
        ("refunds", "charge", "No such charge: 'xx_nobody'"),
        ("disputes", "payment_intent", "No such payment_intent: 'xx_nobody'"),
        ("checkout/sessions", "payment_intent", "No such payment_intent: 'xx_nobody'"),
        ("charges", "starting_after", "xx_nobody"),
    ],
)
def test_a_filter_or_page_by_an_unknown_id_is_resource_missing(
    shop: Shop, noun: str, name: str, value: str
) -> None:
    answer = requests.get(
        f"{shop.stand_in.url}/v1/{noun}",
        params={name: "xx_nobody"},
        headers={"Authorization": "Bearer sk_test_nyanko"},
        timeout=PATIENCE_SECONDS,
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "resource_missing", name)
    assert value in error["message"]


def test_a_path_that_is_not_played_is_no_url_of_stripes(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        shop.stripe.v1.customers.list()


# Expansion and rate limit


def test_expansion_ends_at_four_levels(shop: Shop) -> None:
    payment_of(shop)
    sessions = shop.stripe.v1.checkout.sessions
    deep: Any = sessions.list({"expand": ["data.payment_intent.latest_charge.balance_transaction"]}).data[0]
    expanded = deep.payment_intent.latest_charge.balance_transaction
    assert isinstance(expanded, stripe.BalanceTransaction)
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels") as refusal:
        sessions.list({"expand": ["data.payment_intent.latest_charge.balance_transaction.source"]})
    assert refusal.value.param == "expand"
    with pytest.raises(stripe.InvalidRequestError):
        shop.sell(expand=["a.b.c.d.e"])
    assert len(sessions.list().data) == 1


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


def test_a_refund_that_failed_later_is_still_the_answer_of_its_key_for_24_hours(shop: Shop) -> None:
    payment = payment_of(shop)

    def create(key: str) -> stripe.Refund:
        return shop.stripe.v1.refunds.create({"payment_intent": payment}, {"idempotency_key": key})

    refund = create("refund-1")
    shop.act("POST", f"/dashboard/refunds/{refund.id}/fail", {"failure_reason": "lost_or_stolen_card"})
    shop.clock.ahead = 24 * 3600 - 60
    again = create("refund-1")
    assert (again.id, again.status) == (refund.id, "succeeded")
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert shop.stripe.v1.refunds.retrieve(refund.id).status == "failed"
    shop.clock.ahead = 24 * 3600 + 1
    second = create("refund-1")
    assert (second.id != refund.id, second.status, second.amount) == (True, "succeeded", 1000)


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


# Payments without a session of ours


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
    assert shop.stripe.v1.refunds.create({"payment_intent": theirs.id}).payment_intent == theirs.id
    assert shop.charge_of(ours).amount_refunded == 0
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.payment_intents.confirm(theirs.id)
    assert refusal.value.code == "payment_intent_unexpected_state"


def test_a_payment_without_a_session_is_declined_and_paid_with_another_card(shop: Shop) -> None:
    params: Any = {"amount": 500, "currency": "jpy", "payment_method": "pm_card_chargeDeclined"}
    with pytest.raises(stripe.CardError) as declined:
        shop.stripe.v1.payment_intents.create(params | {"confirm": True})
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    [intent] = shop.stripe.v1.payment_intents.list().data
    assert intent.status == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        shop.stripe.v1.payment_intents.confirm(intent.id)
    paid = shop.stripe.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"
