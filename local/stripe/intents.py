"""PaymentIntents that no Checkout Session has made: another program of the account takes a card by itself.

Such a payment may carry any metadata, be it that of a purchase of ours (https://docs.stripe.com/metadata).
Only test cards pay, by the ids that https://docs.stripe.com/testing#cards has under "PaymentMethods".
"""

from collections.abc import Mapping

from flask import g

from local.stripe import checkout, objects, payments, versions
from local.stripe.api import SHIPPING, call
from local.stripe.cards import CARDS, CardEntry
from local.stripe.cli import EXPIRES, currency
from local.stripe.errors import ApiError
from local.stripe.events import emit
from local.stripe.params import (
    Params,
    Raw,
    array,
    between,
    boolean,
    choice,
    fields,
    metadata,
    text,
    text_up_to,
)
from local.stripe.store import Account, Payer, PaymentMethod, StripeObject

TEST_METHODS: Mapping[str, str] = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_jcb": "3566002020360505",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeInquiry": "4000000000001976",
}


def payment_method_types(raw: Raw, name: str) -> list[str]:
    """https://docs.stripe.com/changelog/endive/2026-09-30/removes-the-payment-method-types-parameter-from-payment-intents-and-setup-intents."""
    if not versions.older(g.version, "2026-09-30.endive"):
        raise ApiError(
            f"{name} is no longer supported. Use allowed_payment_method_types instead.",
            code="payment_method_types_no_longer_supported",
            param=name,
        )
    types: list[str] = array(choice("card"))(raw, name)
    return types


@call(
    "POST",
    "/v1/payment_intents",
    {
        "amount": between(1, checkout.MAX_AMOUNT),
        "automatic_payment_methods": fields(
            {"enabled": boolean, "allow_redirects": choice("always", "never")}, required=("enabled",)
        ),
        "confirm": boolean,
        "currency": currency,
        "description": text_up_to(1000),
        "metadata": metadata,
        "payment_method": text,
        "payment_method_types": payment_method_types,
        "return_url": text,
        "shipping": SHIPPING,
    },
    required=("amount", "currency"),
)
def create_payment_intent(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/payment_intents/create"""
    if params["currency"] == "jpy" and params["amount"] < checkout.MIN_AMOUNT:
        raise ApiError("Amount must be at least ¥50 jpy", code="amount_too_small", param="amount")
    if params.get("confirm") and "payment_method" not in params:
        raise ApiError(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    paid_by = {"amount_total": params["amount"], "currency": params["currency"]}
    intent = objects.payment_intent(account, {**paid_by, "payment_method_types": ["card"]}, params)
    emit(account, "payment_intent.created", intent)
    if "payment_method" in params:
        _attach(account, intent, params["payment_method"])
    if params.get("confirm"):
        _pay(account, intent)
    return intent


@call("POST", "/v1/payment_intents/<intent_id>/confirm", {"payment_method": text, "return_url": text})
def confirm_payment_intent(account: Account, params: Params, intent_id: str) -> StripeObject:
    """https://docs.stripe.com/api/payment_intents/confirm"""
    intent = account.get("payment_intent", intent_id, param="intent")
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise ApiError(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
            executed=True,
        )
    if "payment_method" in params:
        _attach(account, intent, params["payment_method"])
    if intent["payment_method"] is None:
        raise ApiError(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    _pay(account, intent)
    return intent


def _attach(account: Account, intent: StripeObject, method_id: str) -> None:
    """A test card becomes a payment method of its own."""
    if method_id in TEST_METHODS:
        entry, payer = CardEntry(CARDS[TEST_METHODS[method_id]], *EXPIRES), Payer(None, None)
        card = payments.card_details(entry, intent["amount"])["card"]
        method_id = objects.payment_method(account, card, payments.billing_details_of(payer))["id"]
        account.payment_methods[method_id] = PaymentMethod(payer, entry)
    account.get("payment_method", method_id, param="payment_method", status=400)
    intent.update(payment_method=method_id, status="requires_confirmation")


def _pay(account: Account, intent: StripeObject) -> None:
    try:
        payments.pay_without_session(account, intent)
    except payments.Declined as declined:
        raise ApiError(
            str(declined), code="card_declined", status=402, type_="card_error", executed=True
        ) from declined
