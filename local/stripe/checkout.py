"""Checkout Sessions from creation to their end (https://docs.stripe.com/api/checkout/sessions)."""

from functools import partial
from typing import Any

from local.stripe import objects
from local.stripe.errors import ApiError
from local.stripe.events import change, emit
from local.stripe.store import Account, StripeObject

MIN_AMOUNT = 50
"""Yen (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""

MAX_AMOUNT = 99_999_999
"""The same page: at most eight digits."""

MIN_LIFE_SECONDS = 30 * 60
MAX_LIFE_SECONDS = 24 * 3600

PAYMENT_METHODS = ("card", "konbini")
"""What the account has switched on in its Dashboard."""


def create(account: Account, params: dict[str, Any], page_url: str, *, with_intent: bool) -> StripeObject:
    """Open a session whose hosted page stands at `page_url` + id; it expires by itself.

    `with_intent` makes its PaymentIntent at once, as versions before 2022-08-01 do.
    """
    _check_life(account, params.get("expires_at"))
    methods = _offered_methods(params)
    _check_amount(account, params["line_items"])
    lines = [objects.line_item(account, _price_of(account, line), line) for line in params["line_items"]]
    session = objects.checkout_session(account, params, lines, methods, page_url)
    account.line_items[session["id"]] = lines
    account.checkout_params[session["id"]] = params
    account.at(session["expires_at"], partial(expire, account, session))
    if with_intent:
        intent_of(account, session)
    return session


def _check_amount(account: Account, lines: list[dict[str, Any]]) -> None:
    """https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, the minimum for yen alone."""
    prices = [
        account.get("price", line["price"], param="line_items", status=400)
        if "price" in line
        else line["price_data"]
        for line in lines
    ]
    currencies = {price["currency"].lower() for price in prices}
    if len(currencies) > 1:
        raise ApiError("All prices of a Checkout Session have the same currency.", param="line_items")
    amount = sum(line["quantity"] * price["unit_amount"] for line, price in zip(lines, prices, strict=True))
    least = MIN_AMOUNT if currencies == {"jpy"} else 1
    if not least <= amount <= MAX_AMOUNT:
        raise ApiError(
            f"The Checkout Session's total amount due must add up to at least ¥{MIN_AMOUNT} jpy "
            f"and at most ¥{MAX_AMOUNT} jpy",
            code="amount_too_small" if amount < least else "amount_too_large",
        )


def _price_of(account: Account, line: dict[str, Any]) -> StripeObject:
    """The price that a line names, or the one that its `price_data` makes, which no list shows
    (https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-line_items-price_data)."""
    if "price" in line:
        return account.get("price", line["price"], param="line_items", status=400)
    data = line["price_data"]
    product = objects.product(account, data["product_data"], active=False)
    return objects.price(account, product["id"], data["unit_amount"], "jpy", active=False)


def intent_of(account: Account, session: StripeObject) -> StripeObject:
    """The session's PaymentIntent, made at the first attempt to pay
    (https://docs.stripe.com/changelog/2022-08-01/deferred-paymentintent-checkout-session)."""
    if session["payment_intent"] is not None:
        return account.get("payment_intent", session["payment_intent"])
    intent = objects.payment_intent(
        account, session, account.checkout_params[session["id"]].get("payment_intent_data", {})
    )
    session["payment_intent"] = intent["id"]
    emit(account, "payment_intent.created", intent)
    return intent


def complete(account: Account, session: StripeObject, billing: dict[str, Any], *, paid: bool) -> None:
    """End a session successfully: the money is here (`paid`), or is promised by a delayed method."""
    session.update(
        status="complete",
        url=None,
        payment_status="paid" if paid else "unpaid",
        customer_details={
            "address": billing["address"],
            "business_name": None,
            "email": billing["email"],
            "individual_name": None,
            "name": billing["name"],
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    )
    emit(account, "checkout.session.completed", session)


def expire(account: Account, session: StripeObject) -> None:
    """End an open session, and with it the PaymentIntent of its failed attempts; no other is touched."""
    if session["status"] != "open":
        return
    if session["payment_intent"] is not None:
        intent = account.get("payment_intent", session["payment_intent"])
        change(
            intent,
            status="canceled",
            canceled_at=account.now(),
            cancellation_reason="expired",
            next_action=None,
        )
        emit(account, "payment_intent.canceled", intent)
    session.update(status="expired", url=None)
    emit(account, "checkout.session.expired", session)


def _check_life(account: Account, expires_at: int | None) -> None:
    if expires_at is None:
        return
    life = expires_at - account.now()
    if life < MIN_LIFE_SECONDS:
        raise ApiError(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            param="expires_at",
        )
    if life > MAX_LIFE_SECONDS:
        raise ApiError(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )


def _offered_methods(params: dict[str, Any]) -> list[str]:
    allowed = params.get("allowed_payment_method_types", PAYMENT_METHODS)
    excluded = params.get("excluded_payment_method_types", ())
    methods = [method for method in PAYMENT_METHODS if method in allowed and method not in excluded]
    if not methods:
        raise ApiError(
            "No valid payment method types for this Checkout Session.", param="allowed_payment_method_types"
        )
    return methods
