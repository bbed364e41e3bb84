"""Paying by card, and what every payment does: to its PaymentIntent and its charge, with which events.

The life of a PaymentIntent: https://docs.stripe.com/payments/paymentintents/lifecycle.
"""

from typing import Any

from local.stripe import checkout, disputes, objects
from local.stripe.cards import CardEntry, Decline
from local.stripe.events import emit
from local.stripe.store import Account, Payer, PaymentMethod, StripeObject


class Declined(Exception):
    """The card was refused; the session stays open for another try."""

    def __init__(self, decline: Decline) -> None:
        super().__init__(decline.message)
        self.text = decline.text


_AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    "authentication_required",
    "The provided payment method has failed authentication.",
    "カードの認証に失敗しました。",
)


def start(
    account: Account,
    session: StripeObject,
    payer: Payer,
    entry: CardEntry | None = None,
    method_id: str | None = None,
) -> StripeObject:
    """The session's PaymentIntent, about to be paid by card, or without one by konbini.

    `method_id` is that of the payment method, if it was made before.
    """
    intent = checkout.intent_of(account, session)
    intent["payment_method"] = method_id or account.new_id("pm_1")
    account.payment_methods[intent["payment_method"]] = PaymentMethod(payer, entry)
    return intent


def settle(account: Account, intent: StripeObject, method_details: dict[str, Any]) -> StripeObject:
    """The money has arrived; returns the charge."""
    charge = objects.charge(account, intent, billing_details(account, intent), method_details)
    charge["balance_transaction"] = objects.balance_transaction(
        account, charge, "charge", charge["amount"], fee=charge["amount"] * 36 // 1000
    )["id"]
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        next_action=None,
        last_payment_error=None,
    )
    emit(account, "charge.succeeded", charge)
    emit(account, "payment_intent.succeeded", intent)
    return charge


def billing_details(account: Account, intent: StripeObject) -> dict[str, Any]:
    return billing_details_of(account.payment_methods[intent["payment_method"]].payer)


def billing_details_of(payer: Payer) -> dict[str, Any]:
    no_street = dict.fromkeys(("city", "line1", "line2", "postal_code", "state"))
    return {
        "address": {**no_street, "country": "JP"},
        "email": payer.email,
        "name": payer.name,
        "phone": None,
        "tax_id": None,
    }


def pay_by_card(
    account: Account,
    session: StripeObject,
    payer: Payer,
    entry: CardEntry,
    return_url: str,
    method_id: str | None = None,
) -> bool:
    """Try to pay an open session; True when it is paid, False when 3-D Secure at `return_url` comes first.

    Raises `Declined`.
    """
    intent = start(account, session, payer, entry, method_id)
    if entry.card.decline is not None:
        _decline(account, intent, entry, entry.card.decline)
        raise Declined(entry.card.decline)
    if entry.card.three_d_secure:
        intent.update(
            status="requires_action",
            next_action={
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": session["success_url"], "url": return_url},
            },
        )
        emit(account, "payment_intent.requires_action", intent)
        return False
    _complete(account, session, intent, entry)
    return True


def pay_without_session(account: Account, intent: StripeObject) -> None:
    """Pay a PaymentIntent with the card that is attached to it; raises `Declined`.

    Nobody is there for 3-D Secure (https://docs.stripe.com/error-codes#authentication-required).
    """
    entry = account.payment_methods[intent["payment_method"]].card
    if entry is None or entry.card.three_d_secure:
        raise Declined(_AUTHENTICATION_FAILED)
    if entry.card.decline is not None:
        _decline(account, intent, entry, entry.card.decline)
        raise Declined(entry.card.decline)
    charge = settle(account, intent, card_details(entry, intent["amount"]))
    if entry.card.dispute is not None:
        disputes.open_(account, charge, inquiry=entry.card.dispute == "inquiry")


def authenticate(account: Account, session: StripeObject, *, passed: bool) -> None:
    """Finish 3-D Secure; raises `Declined` when it failed."""
    intent = account.get("payment_intent", session["payment_intent"])
    entry = account.payment_methods[intent["payment_method"]].card
    if passed and entry is not None:
        _complete(account, session, intent, entry)
        return
    intent.update(
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_payment_error=_payment_error(_AUTHENTICATION_FAILED, charge=None),
    )
    emit(account, "payment_intent.payment_failed", intent)
    raise Declined(_AUTHENTICATION_FAILED)


def awaits_authentication(account: Account, session: StripeObject) -> bool:
    if session["status"] != "open" or session["payment_intent"] is None:
        return False
    status: str = account.get("payment_intent", session["payment_intent"])["status"]
    return status == "requires_action"


def _complete(account: Account, session: StripeObject, intent: StripeObject, entry: CardEntry) -> None:
    charge = settle(account, intent, card_details(entry, intent["amount"]))
    checkout.complete(account, session, charge["billing_details"], paid=True)
    if entry.card.dispute is not None:
        disputes.open_(account, charge, inquiry=entry.card.dispute == "inquiry")


def _decline(account: Account, intent: StripeObject, entry: CardEntry, decline: Decline) -> None:
    details = card_details(entry, intent["amount"])
    charge = objects.charge(account, intent, billing_details(account, intent), details)
    charge.update(
        amount_captured=0,
        captured=False,
        failure_code=decline.code,
        failure_message=decline.message,
        paid=False,
        status="failed",
    )
    charge["outcome"].update(
        network_status="declined_by_network",
        reason=decline.decline_code,
        seller_message="The bank did not return any further details with this decline.",
        type="issuer_declined",
    )
    intent.update(
        status="requires_payment_method",
        latest_charge=charge["id"],
        payment_method=None,
        last_payment_error=_payment_error(decline, charge["id"]),
    )
    emit(account, "charge.failed", charge)
    emit(account, "payment_intent.payment_failed", intent)


def _payment_error(decline: Decline, charge: str | None) -> dict[str, Any]:
    return {
        "charge": charge,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "doc_url": f"https://docs.stripe.com/error-codes#{decline.code.replace('_', '-')}",
        "message": decline.message,
        "type": "card_error" if charge else "invalid_request_error",
    }


def card_details(entry: CardEntry, amount: int) -> dict[str, Any]:
    card = entry.card
    authenticated = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }
    return {
        "card": {
            "amount_authorized": amount,
            "authorization_code": None,
            "brand": card.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "pass",
            },
            "country": card.country,
            "exp_month": entry.month,
            "exp_year": entry.year,
            "extended_authorization": {"status": "disabled"},
            "fingerprint": f"test{card.number[-4:]}",
            "funding": "credit",
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "last4": card.number[-4:],
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": card.brand,
            "network_token": {"used": False},
            "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
            "three_d_secure": authenticated if card.three_d_secure else None,
            "wallet": None,
        },
        "type": "card",
    }
