"""What the stand-in refuses as Stripe does: unknown keys and ids, deep expansion; and what it repeats."""

from typing import Any

import pytest
import requests
import stripe

from tests.integration.stripe_shop import PATIENCE_SECONDS, Shop


@pytest.mark.parametrize("key", ["sk_test_of_somebody_else", "rk_test_nyanko", "pk_test_nyanko", "nonsense"])
def test_a_key_that_is_not_the_accounts_own_is_401(shop: Shop, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided") as refusal:
        stripe.StripeClient(key, base_addresses={"api": shop.stand_in.url}).v1.events.list()
    assert refusal.value.http_status == 401
    assert refusal.value.error is not None
    assert refusal.value.error.type == "invalid_request_error"
    assert key not in str(refusal.value)
    assert shop.get("/v1/events").status_code == 401


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


def test_expansion_ends_at_four_levels(shop: Shop) -> None:
    shop.sell_and_pay()
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


def test_a_refund_that_failed_later_is_still_the_answer_of_its_key_for_24_hours(shop: Shop) -> None:
    payment = str(shop.sell_and_pay().payment_intent)

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
    payment = str(shop.sell_and_pay().payment_intent)
    refund = shop.stripe.v1.refunds.create({"payment_intent": payment})

    def replayed() -> str | None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            shop.stripe.v1.refunds.create({"payment_intent": payment}, {"idempotency_key": "refund-2"})
        assert refusal.value.code == "charge_already_refunded"
        return (refusal.value.headers or {}).get("Idempotent-Replayed")

    assert replayed() is None
    shop.act("POST", f"/dashboard/refunds/{refund.id}/fail")
    assert replayed() == "true"
