"""The calls of Stripe's API that are played, each with the parameters it accepts.

Reference: https://docs.stripe.com/api at `store.API_VERSION`. A parameter that is not listed here is refused
like one that Stripe does not know, so that nothing is ever silently ignored.
"""

import fnmatch
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from flask import g, request

from local.stripe import checkout, disputes, objects, refunds, versions
from local.stripe.deliveries import rendered, resend
from local.stripe.errors import ApiError
from local.stripe.events import change, emit
from local.stripe.listing import page, within
from local.stripe.params import (
    PAGE,
    Params,
    Parser,
    Raw,
    array,
    between,
    boolean,
    choice,
    created,
    fields,
    metadata,
    text,
    text_up_to,
    url,
)
from local.stripe.params import integer as whole_number
from local.stripe.store import Account, SigningSecret, StripeObject, random_text

Handler: TypeAlias = Callable[..., StripeObject]


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    parse: Parser
    handler: Handler


CALLS: list[Call] = []

FILTERED_BY_ID = ("charge", "payment_intent")
"""Filters whose value is the id of an object of that name."""


def call(
    method: str, path: str, parsers: Mapping[str, Parser] | None = None, required: Collection[str] = ()
) -> Callable[[Handler], Handler]:
    """Register a handler: it takes the account, the checked parameters, and the ids in the path."""
    known = {"expand": array(text, most=20), **(parsers or {})}

    def register(handler: Handler) -> Handler:
        CALLS.append(Call(method, path, fields(known, required), handler))
        return handler

    return register


_METHODS = array(choice(*checkout.PAYMENT_METHODS))


def payment_method_types(raw: Raw, name: str) -> list[str]:
    """https://docs.stripe.com/changelog/endive/2026-09-30/remove-payment-method-types-checkout-sessions."""
    if not versions.older(g.version, "2026-09-30.endive"):
        raise ApiError(
            f"Received unknown parameter: {name}. Use allowed_payment_method_types instead.",
            code="parameter_unknown",
            param=name,
        )
    methods: list[str] = _METHODS(raw, name)
    return methods


def allowed_payment_method_types(raw: Raw, name: str) -> list[str]:
    """The same page: what came in its place."""
    if versions.older(g.version, "2026-09-30.endive"):
        raise ApiError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    methods: list[str] = _METHODS(raw, name)
    return methods


def ui_mode(raw: Raw, name: str) -> str:
    """https://docs.stripe.com/changelog/dahlia/2026-03-25/updates-available-checkout-session-ui-modes."""
    hosted = "hosted" if versions.older(g.version, "2026-03-25.dahlia") else "hosted_page"
    choice(hosted)(raw, name)
    return "hosted_page"


_MESSAGE = fields({"message": text_up_to(1200)}, required=("message",))
_PRODUCT_DATA = fields(
    {"name": text, "description": text, "images": array(url, most=8), "metadata": metadata},
    required=("name",),
)
_PRICE_DATA = fields(
    {
        # The account is one that sells in yen only, as the shop does.
        "currency": choice("jpy", "JPY"),
        "unit_amount": between(0, checkout.MAX_AMOUNT),
        "product_data": _PRODUCT_DATA,
    },
    required=("currency", "unit_amount", "product_data"),
)
_PRICED = {"quantity": between(1, 999_999), "metadata": metadata}
_LINE_ITEM_OF_PRICE = fields({"price": text, **_PRICED}, required=("price", "quantity"))
_LINE_ITEM_OF_DATA = fields({"price_data": _PRICE_DATA, **_PRICED}, required=("price_data", "quantity"))


def line_item(raw: Raw, name: str) -> Params:
    by_price = isinstance(raw, dict) and "price" in raw
    item: Params = (_LINE_ITEM_OF_PRICE if by_price else _LINE_ITEM_OF_DATA)(raw, name)
    return item


SHIPPING = fields(
    {
        "address": fields(dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), text)),
        "name": text,
    },
    required=("address", "name"),
)


@call(
    "POST",
    "/v1/checkout/sessions",
    {
        "adaptive_pricing": fields({"enabled": boolean}),
        "allowed_payment_method_types": allowed_payment_method_types,
        "cancel_url": url,
        "client_reference_id": text_up_to(200),
        "custom_text": fields({"after_submit": _MESSAGE, "submit": _MESSAGE}),
        "customer_email": text_up_to(800),
        "excluded_payment_method_types": _METHODS,
        "expires_at": whole_number,
        "line_items": array(line_item),
        "locale": choice("auto", "en", "ja"),
        "metadata": metadata,
        "mode": choice("payment"),
        "payment_method_options": fields({"konbini": fields({"expires_after_days": between(1, 60)})}),
        "payment_intent_data": fields(
            {"description": text_up_to(1000), "metadata": metadata, "shipping": SHIPPING}
        ),
        "payment_method_types": payment_method_types,
        "submit_type": choice("auto", "book", "donate", "pay"),
        "success_url": url,
        "ui_mode": ui_mode,
    },
    required=("mode", "line_items", "success_url"),
)
def create_checkout_session(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/checkout/sessions/create"""
    # A container calls this server by a name that the buyer's browser does not know.
    served = "http://{SERVER_NAME}:{SERVER_PORT}".format_map(request.environ)
    allowed = params.pop("payment_method_types", None)
    if allowed is not None:
        params["allowed_payment_method_types"] = allowed
    # https://docs.stripe.com/changelog/2022-08-01/deferred-paymentintent-checkout-session
    with_intent = versions.older(g.version, "2022-08-01")
    return checkout.create(account, params, page_url=f"{served}/c/pay/", with_intent=with_intent)


@call("GET", "/v1/checkout/sessions/<session_id>")
def retrieve_checkout_session(account: Account, _params: Params, session_id: str) -> StripeObject:
    """https://docs.stripe.com/api/checkout/sessions/retrieve"""
    return account.get("checkout.session", session_id, param="session")


@call(
    "GET",
    "/v1/checkout/sessions",
    {
        **PAGE,
        "created": created,
        "payment_intent": text,
        "status": choice("complete", "expired", "open"),
    },
)
def list_checkout_sessions(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/checkout/sessions/list"""
    return _page_of(account, "checkout.session", params, equal=("payment_intent", "status"))


@call("GET", "/v1/checkout/sessions/<session_id>/line_items", PAGE)
def list_line_items(account: Account, params: Params, session_id: str) -> StripeObject:
    """https://docs.stripe.com/api/checkout/sessions/line_items"""
    retrieve_checkout_session(account, params, session_id)
    return page(account.line_items[session_id], params, request.path)


@call("POST", "/v1/checkout/sessions/<session_id>/expire")
def expire_checkout_session(account: Account, params: Params, session_id: str) -> StripeObject:
    """https://docs.stripe.com/api/checkout/sessions/expire"""
    session = retrieve_checkout_session(account, params, session_id)
    if session["status"] != "open":
        raise ApiError(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{session['status']}`.",
            executed=True,
        )
    checkout.expire(account, session)
    return session


@call("GET", "/v1/payment_intents/<intent_id>")
def retrieve_payment_intent(account: Account, _params: Params, intent_id: str) -> StripeObject:
    """https://docs.stripe.com/api/payment_intents/retrieve"""
    return account.get("payment_intent", intent_id, param="intent")


@call("GET", "/v1/payment_intents", {**PAGE, "created": created})
def list_payment_intents(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/payment_intents/list"""
    return _page_of(account, "payment_intent", params)


@call("GET", "/v1/charges/<charge_id>")
def retrieve_charge(account: Account, _params: Params, charge_id: str) -> StripeObject:
    """https://docs.stripe.com/api/charges/retrieve"""
    return account.get("charge", charge_id, param="id")


@call("GET", "/v1/charges", {**PAGE, "created": created, "payment_intent": text})
def list_charges(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/charges/list"""
    return _page_of(account, "charge", params, equal=("payment_intent",))


@call("GET", "/v1/balance_transactions/<transaction_id>")
def retrieve_balance_transaction(account: Account, _params: Params, transaction_id: str) -> StripeObject:
    """https://docs.stripe.com/api/balance_transactions/retrieve"""
    return account.get("balance_transaction", transaction_id)


@call(
    "POST",
    "/v1/refunds",
    {
        "amount": between(1, checkout.MAX_AMOUNT),
        "charge": text,
        "instructions_email": text_up_to(800),
        "metadata": metadata,
        "payment_intent": text,
        "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
    },
)
def create_refund(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/refunds/create"""
    return refunds.create(account, params)


@call("GET", "/v1/refunds/<refund_id>")
def retrieve_refund(account: Account, _params: Params, refund_id: str) -> StripeObject:
    """https://docs.stripe.com/api/refunds/retrieve"""
    return account.get("refund", refund_id)


@call("GET", "/v1/refunds", {**PAGE, "charge": text, "created": created, "payment_intent": text})
def list_refunds(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/refunds/list"""
    return _page_of(account, "refund", params, equal=("charge", "payment_intent"))


@call("POST", "/v1/refunds/<refund_id>", {"metadata": metadata})
def update_refund(account: Account, params: Params, refund_id: str) -> StripeObject:
    """https://docs.stripe.com/api/refunds/update"""
    refund = account.get("refund", refund_id)
    previous = _merge_metadata(refund, params)
    if previous:
        emit(account, "refund.updated", refund, previous)
    return refund


@call("POST", "/v1/refunds/<refund_id>/cancel")
def cancel_refund(account: Account, _params: Params, refund_id: str) -> StripeObject:
    """https://docs.stripe.com/api/refunds/cancel"""
    refund = account.get("refund", refund_id)
    refunds.cancel(account, refund)
    return refund


@call("GET", "/v1/disputes/<dispute_id>")
def retrieve_dispute(account: Account, _params: Params, dispute_id: str) -> StripeObject:
    """https://docs.stripe.com/api/disputes/retrieve"""
    return account.get("dispute", dispute_id, param="dispute")


@call("GET", "/v1/disputes", {**PAGE, "charge": text, "created": created, "payment_intent": text})
def list_disputes(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/disputes/list"""
    return _page_of(account, "dispute", params, equal=("charge", "payment_intent"))


_APPEAL = fields(
    {"card": fields({"reason_for_filing": text_up_to(20_000), "supporting_files": array(text, most=5)})}
)


@call(
    "POST",
    "/v1/disputes/<dispute_id>",
    {
        "evidence": fields({**dict.fromkeys(objects.EVIDENCE, text_up_to(150_000)), "appeal": _APPEAL}),
        "metadata": metadata,
        "submit": boolean,
    },
)
def update_dispute(account: Account, params: Params, dispute_id: str) -> StripeObject:
    """Evidence goes to the bank at once unless `submit` is false (https://docs.stripe.com/api/disputes/update)."""
    dispute = account.get("dispute", dispute_id, param="dispute")
    previous = _merge_metadata(dispute, params)
    if "evidence" in params or params.get("submit"):
        disputes.answer(account, dispute, params.get("evidence", {}), submit=params.get("submit", True))
    elif previous:
        emit(account, "charge.dispute.updated", dispute, previous)
    return dispute


@call("POST", "/v1/disputes/<dispute_id>/close")
def close_dispute(account: Account, _params: Params, dispute_id: str) -> StripeObject:
    """To close a dispute is to accept it as lost (https://docs.stripe.com/api/disputes/close)."""
    dispute = account.get("dispute", dispute_id, param="dispute")
    disputes.lose(account, dispute)
    return dispute


@call("POST", "/v1/events/<event_id>/retry", {"for_stripecli": boolean, "webhook_endpoint": text})
def retry_event(account: Account, params: Params, event_id: str) -> StripeObject:
    """What `stripe events resend` asks for (https://docs.stripe.com/cli/events/resend)."""
    event = account.get("event", event_id)
    endpoint_id = params.get("webhook_endpoint")
    if endpoint_id is not None:
        account.get("webhook_endpoint", endpoint_id, param="webhook_endpoint", status=400)
    resend(account, event, endpoint_id)
    return rendered(account, event)


@call("GET", "/v1/events/<event_id>")
def retrieve_event(account: Account, _params: Params, event_id: str) -> StripeObject:
    """https://docs.stripe.com/api/events/retrieve: in the account's default version, whatever is asked"""
    return rendered(account, account.get("event", event_id))


@call(
    "GET",
    "/v1/events",
    {**PAGE, "created": created, "delivery_success": boolean, "type": text, "types": array(text, most=20)},
)
def list_events(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/events/list: in the account's default version, whatever is asked"""
    if "type" in params and "types" in params:
        raise ApiError("You may only specify one of these parameters: type, types.")
    patterns = params.get("types", [params.get("type", "*")])
    bounds = params.get("created", {})
    events = [
        event
        for event in (rendered(account, event) for event in account.every("event"))
        if any(fnmatch.fnmatchcase(event["type"], pattern) for pattern in patterns)
        and within(event["created"], bounds)
        and params.get("delivery_success") in (None, event["pending_webhooks"] == 0)
    ]
    return page(events, params, request.path)


def event_type(raw: Raw, name: str) -> str:
    value = text(raw, name)
    if value != "*" and not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", value):
        raise ApiError(f"Invalid {name}: {value} is not the name of an event", param=name)
    return value


def api_version(raw: Raw, name: str) -> str:
    """Deliveries to the endpoint are rendered in it (https://docs.stripe.com/webhooks/versioning)."""
    return versions.check(text(raw, name), name)


_WEBHOOK_ENDPOINT: Mapping[str, Parser] = {
    "description": text_up_to(5000),
    "enabled_events": array(event_type, most=500),
    "metadata": metadata,
    "url": url,
}


@call(
    "POST",
    "/v1/webhook_endpoints",
    {**_WEBHOOK_ENDPOINT, "api_version": api_version},
    required=("url", "enabled_events"),
)
def create_webhook_endpoint(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/webhook_endpoints/create"""
    endpoint = objects.webhook_endpoint(account, params)
    secret = SigningSecret(f"whsec_{random_text(32)}")
    account.signing_secrets[endpoint["id"]] = [secret]
    # Only this answer ever shows the secret.
    return {**endpoint, "secret": secret.value}


@call("GET", "/v1/webhook_endpoints/<endpoint_id>")
def retrieve_webhook_endpoint(account: Account, _params: Params, endpoint_id: str) -> StripeObject:
    """https://docs.stripe.com/api/webhook_endpoints/retrieve"""
    return account.get("webhook_endpoint", endpoint_id, param="webhook_endpoint")


@call("GET", "/v1/webhook_endpoints", PAGE)
def list_webhook_endpoints(account: Account, params: Params) -> StripeObject:
    """https://docs.stripe.com/api/webhook_endpoints/list"""
    return _page_of(account, "webhook_endpoint", params)


@call("POST", "/v1/webhook_endpoints/<endpoint_id>", {**_WEBHOOK_ENDPOINT, "disabled": boolean})
def update_webhook_endpoint(account: Account, params: Params, endpoint_id: str) -> StripeObject:
    """https://docs.stripe.com/api/webhook_endpoints/update"""
    endpoint = retrieve_webhook_endpoint(account, params, endpoint_id)
    for name in ("description", "enabled_events", "url"):
        if name in params:
            endpoint[name] = params[name]
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    _merge_metadata(endpoint, params)
    return endpoint


@call("DELETE", "/v1/webhook_endpoints/<endpoint_id>")
def delete_webhook_endpoint(account: Account, params: Params, endpoint_id: str) -> StripeObject:
    """https://docs.stripe.com/api/webhook_endpoints/delete"""
    retrieve_webhook_endpoint(account, params, endpoint_id)
    del account.objects["webhook_endpoint"][endpoint_id]
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def _page_of(
    account: Account, noun: str, params: dict[str, Any], equal: Collection[str] = ()
) -> StripeObject:
    """A page of the objects whose fields named in `equal` have the values that the parameters ask for.

    An id in a filter has to exist: https://docs.stripe.com/error-codes#resource-missing.
    """
    bounds = params.get("created", {})
    for name in equal:
        if name in FILTERED_BY_ID and name in params:
            account.get(name, params[name], param=name, status=400)
    items = [
        item
        for item in account.every(noun)
        if within(item["created"], bounds)
        and all(item[name] == params[name] for name in equal if name in params)
    ]
    return page(items, params, request.path)


def _merge_metadata(stripe_object: StripeObject, params: Params) -> dict[str, Any]:
    """Set the named keys, remove those set to "" (https://docs.stripe.com/metadata); returns what changed."""
    if "metadata" not in params:
        return {}
    merged = {**stripe_object["metadata"], **params["metadata"]} if params["metadata"] else {}
    return change(stripe_object, metadata={key: value for key, value in merged.items() if value})
