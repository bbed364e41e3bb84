"""What Stripe's own CLI asks for besides the API: `stripe trigger` and `stripe listen`.

`stripe trigger checkout.session.completed` makes a product, a price and a session, and pays by confirming the
session's payment page with a payment method. Products, prices and payment methods are documented
(https://docs.stripe.com/api); payment pages and sessions of the CLI are not: they follow the CLI's source
(https://github.com/stripe/stripe-cli/tree/master/pkg/fixtures/triggers). What the CLI's fixtures do not send
is refused here as everywhere.
"""

from collections.abc import Mapping

from flask import request

from local.stripe import checkout, listeners, objects, payments
from local.stripe.api import call
from local.stripe.cards import CARDS, CardEntry
from local.stripe.errors import ApiError
from local.stripe.events import emit
from local.stripe.listeners import RECONNECT_SECONDS
from local.stripe.listing import page
from local.stripe.params import PAGE, Params, Raw, array, between, choice, fields, metadata, text, url
from local.stripe.params import integer as whole_number
from local.stripe.store import API_VERSION, Account, Payer, PaymentMethod, StripeObject

TOKENS: Mapping[str, str] = {
    "tok_visa": "4242424242424242",
    "tok_mastercard": "5555555555554444",
    "tok_jcb": "3566002020360505",
    "tok_chargeDeclined": "4000000000000002",
    "tok_createDispute": "4000000000000259",
    "tok_createDisputeInquiry": "4000000000001976",
}
"""https://docs.stripe.com/testing#cards, under "Tokens"."""

EXPIRES = (12, 2040)


def currency(raw: Raw, name: str) -> str:
    value = text(raw, name).lower()
    return str(choice("eur", "jpy", "usd")(value, name))


@call(
    "POST",
    "/v1/products",
    {"description": text, "images": array(url, most=8), "metadata": metadata, "name": text},
    required=("name",),
)
def create_product(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/products/create"""
    product = objects.product(account, params)
    emit(account, "product.created", product)
    return product


@call("GET", "/v1/products/<product_id>")
def retrieve_product(account: Account, _params: Params, product_id: str) -> StripeObject:
    """https://docs.stripe.com/api/products/retrieve"""
    return account.get("product", product_id)


@call("GET", "/v1/products", PAGE)
def list_products(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/products/list: those that a price's data has made are not listed."""
    products = [product for product in account.every("product") if product["active"]]
    return page(products, params, request.path)


@call(
    "POST",
    "/v1/prices",
    {"currency": currency, "product": text, "unit_amount": between(0, checkout.MAX_AMOUNT)},
    required=("currency", "product", "unit_amount"),
)
def create_price(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/prices/create"""
    product = account.get("product", params["product"], param="product", status=400)
    price = objects.price(account, product["id"], params["unit_amount"], params["currency"])
    emit(account, "price.created", price)
    return price


_ADDRESS = fields(dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), text))


@call(
    "POST",
    "/v1/payment_methods",
    {
        "billing_details": fields({"address": _ADDRESS, "email": text, "name": text, "phone": text}),
        "card": fields({"token": choice(*TOKENS)}, required=("token",)),
        "type": choice("card"),
    },
    required=("type", "card"),
)
def create_payment_method(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/payment_methods/create, by a test token alone."""
    entry = CardEntry(CARDS[TOKENS[params["card"]["token"]]], *EXPIRES)
    billing = params.get("billing_details", {})
    payer = Payer(billing.get("email"), billing.get("name"))
    card = payments.card_details(entry, amount=0)["card"]
    method = objects.payment_method(account, card, payments.billing_details_of(payer))
    account.payment_methods[method["id"]] = PaymentMethod(payer, entry)
    return method


@call("GET", "/v1/payment_pages/<session_id>")
def retrieve_payment_page(account: Account, _params: Params, session_id: str) -> StripeObject:
    """The page of a session; it has the session's id."""
    session = account.get("checkout.session", session_id, param="session")
    return {"id": session["id"], "object": "payment_page", "status": session["status"]}


@call(
    "POST",
    "/v1/payment_pages/<session_id>/confirm",
    {"expected_amount": whole_number, "payment_method": text},
    required=("payment_method",),
)
def confirm_payment_page(account: Account, params: Params, session_id: str) -> StripeObject:
    """Pay as the buyer does who presses the button of the hosted page."""
    session = account.get("checkout.session", session_id, param="session")
    method_id = params["payment_method"]
    account.get("payment_method", method_id, param="payment_method", status=400)
    if session["status"] != "open":
        raise ApiError(f"This Checkout Session has a status of `{session['status']}`.", executed=True)
    if params.get("expected_amount", session["amount_total"]) != session["amount_total"]:
        raise ApiError(f"The amount of this session is {session['amount_total']}.", param="expected_amount")
    method = account.payment_methods[method_id]
    if method.card is None:
        raise ApiError("A payment page is confirmed with a card.", param="payment_method")
    three_d_secure = f"{request.host_url}c/pay/{session_id}/3ds"
    try:
        payments.pay_by_card(account, session, method.payer, method.card, three_d_secure, method_id)
    except payments.Declined as declined:
        raise ApiError(
            str(declined), code="card_declined", status=402, type_="card_error", executed=True
        ) from declined
    return retrieve_payment_page(account, params, session_id)


_FORWARD = ("forward_connect_to_url", "forward_thin_connect_to_url", "forward_thin_to_url", "forward_to_url")


@call(
    "POST",
    "/v1/stripecli/sessions",
    {
        "device_name": text,
        **dict.fromkeys(_FORWARD, text),
        "websocket_features": array(choice("webhooks")),
    },
    required=("device_name", "websocket_features"),
)
def create_cli_session(account: Account, _params: Params) -> StripeObject:
    """See `listeners`: where to connect, and the secret that signs what is forwarded."""
    listener = listeners.open_(account)
    return {
        "display_connect_filter_warning": False,
        "default_version": account.api_version,
        "latest_version": API_VERSION,
        "reconnect_delay": RECONNECT_SECONDS,
        "secret": listener.secret,
        "websocket_authorized_feature": "webhooks",
        "websocket_id": listener.id,
        "websocket_url": f"ws://{request.host}/subscribe/{listener.id}",
    }
