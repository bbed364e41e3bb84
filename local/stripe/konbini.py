"""Paying later at a convenience store: a voucher that is paid there, or expires
(https://docs.stripe.com/payments/konbini/accept-a-payment)."""

import datetime as dt
from functools import partial

from local.stripe import checkout, payments
from local.stripe.errors import ApiError
from local.stripe.events import emit
from local.stripe.store import Account, Payer, StripeObject

EXPIRES_AFTER_DAYS = 3
JST = dt.timezone(dt.timedelta(hours=9))
CHAINS = ("familymart", "lawson", "ministop", "seicomart")

PAYMENT_CODE = "000000000000"
CONFIRMATION_NUMBER = "00000000000"


def promise(account: Account, session: StripeObject, payer: Payer, voucher_url: str) -> None:
    """Complete the session unpaid, with a voucher at `voucher_url` + the PaymentIntent's id."""
    intent = payments.start(account, session, payer)
    options = session["payment_method_options"].get("konbini", {})
    days = options.get("expires_after_days", EXPIRES_AFTER_DAYS)
    expires_at = _end_of_day(account.now(), days)
    intent.update(
        status="requires_action",
        payment_method_options={
            "konbini": {
                "confirmation_number": None,
                "expires_after_days": days,
                "expires_at": None,
                "product_description": None,
                "setup_future_usage": "none",
            }
        },
        next_action={
            "type": "konbini_display_details",
            "konbini_display_details": {
                "expires_at": expires_at,
                "hosted_voucher_url": voucher_url + intent["id"],
                "stores": {
                    chain: {"confirmation_number": CONFIRMATION_NUMBER, "payment_code": PAYMENT_CODE}
                    for chain in CHAINS
                },
            },
        },
    )
    emit(account, "payment_intent.requires_action", intent)
    checkout.complete(account, session, payments.billing_details(account, intent), paid=False)
    account.at(expires_at, partial(_expire_if_unpaid, account, intent))


def pay(account: Account, intent: StripeObject) -> None:
    """The buyer pays in the store; raises `ApiError` when the voucher is paid or expired already."""
    _check_open(intent)
    payments.settle(account, intent, {"konbini": {"store": {"chain": CHAINS[0]}}, "type": "konbini"})
    session = _session_of(account, intent)
    session["payment_status"] = "paid"
    emit(account, "checkout.session.async_payment_succeeded", session)


def expire(account: Account, intent: StripeObject) -> None:
    """Nobody paid in time; raises `ApiError` when the voucher is paid or expired already."""
    _check_open(intent)
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error={
            "code": "payment_intent_payment_attempt_expired",
            "doc_url": "https://docs.stripe.com/error-codes#payment-intent-payment-attempt-expired",
            "message": "The payment attempt for this PaymentIntent has expired.",
            "type": "invalid_request_error",
        },
    )
    emit(account, "payment_intent.payment_failed", intent)
    emit(account, "checkout.session.async_payment_failed", _session_of(account, intent))


def is_voucher(intent: StripeObject) -> bool:
    action = intent["next_action"]
    return action is not None and action["type"] == "konbini_display_details"


def _expire_if_unpaid(account: Account, intent: StripeObject) -> None:
    if is_voucher(intent):
        expire(account, intent)


def _check_open(intent: StripeObject) -> None:
    if not is_voucher(intent):
        raise ApiError(
            f"The PaymentIntent has no open voucher; its status is {intent['status']}.",
            code="payment_intent_unexpected_state",
        )


def _session_of(account: Account, intent: StripeObject) -> StripeObject:
    return next(
        session
        for session in account.objects["checkout.session"].values()
        if session["payment_intent"] == intent["id"]
    )


def _end_of_day(now: int, days: int) -> int:
    """23:59:59 in Japan so many days after today, in epoch seconds."""
    today = dt.datetime.fromtimestamp(now, JST)
    last = (today + dt.timedelta(days=days)).replace(hour=23, minute=59, second=59, microsecond=0)
    return int(last.timestamp())
