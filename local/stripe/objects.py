"""Stripe's objects as new ones look, field by field.

Shapes follow the annotations of the `stripe` SDK 16.1.0 (API 2026-10-28.endive); a test compares them.
Amounts are yen, times are epoch seconds UTC.
"""

from collections.abc import Sequence
from typing import Any

from local.stripe.store import Account, StripeObject

EVIDENCE_SECONDS = 9 * 24 * 3600
"""How long a dispute may be answered; https://docs.stripe.com/disputes/responding says 7 to 21 days."""

SETTLING_SECONDS = 4 * 24 * 3600
"""After how long money can be paid out."""


def checkout_session(
    account: Account,
    params: dict[str, Any],
    lines: Sequence[StripeObject],
    methods: Sequence[str],
    page_url: str,
) -> StripeObject:
    """`page_url` is the address of the hosted page, to which the session's id is added."""
    session_id = account.new_id("cs_live_a1" if account.livemode else "cs_test_a1")
    now = account.now()
    amount = sum(line["amount_total"] for line in lines)
    custom_text = params.get("custom_text", {})
    konbini = params.get("payment_method_options", {}).get("konbini", {})
    return account.add(
        {
            "id": session_id,
            "object": "checkout.session",
            "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled", False)},
            "after_expiration": None,
            "allow_promotion_codes": None,
            "allowed_payment_method_types": params.get("allowed_payment_method_types"),
            "amount_subtotal": amount,
            "amount_total": amount,
            "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
            "billing_address_collection": None,
            "cancel_url": params.get("cancel_url"),
            "client_reference_id": params.get("client_reference_id"),
            "client_secret": None,
            "collected_information": None,
            "consent": None,
            "consent_collection": None,
            "created": now,
            "currency": lines[0]["currency"],
            "currency_conversion": None,
            "custom_fields": [],
            "custom_text": {
                "after_submit": custom_text.get("after_submit"),
                "shipping_address": None,
                "submit": custom_text.get("submit"),
                "terms_of_service_acceptance": None,
            },
            "customer": None,
            "customer_account": None,
            "customer_creation": "if_required",
            "customer_details": None,
            "customer_email": params.get("customer_email"),
            "discounts": [],
            "excluded_payment_method_types": params.get("excluded_payment_method_types"),
            "expires_at": params.get("expires_at", now + 24 * 3600),
            "integration_identifier": None,
            "invoice": None,
            "invoice_creation": {
                "enabled": False,
                "invoice_data": {
                    "account_tax_ids": None,
                    "custom_fields": None,
                    "description": None,
                    "footer": None,
                    "issuer": None,
                    "metadata": {},
                    "rendering_options": None,
                },
            },
            "livemode": account.livemode,
            "locale": params.get("locale"),
            "metadata": params.get("metadata", {}),
            "mode": params["mode"],
            "origin_context": None,
            "payment_intent": None,
            "payment_link": None,
            "payment_method_collection": "if_required",
            "payment_method_configuration_details": None,
            "payment_method_options": {"konbini": konbini} if konbini else {},
            "payment_method_types": list(methods),
            "payment_status": "unpaid",
            "permissions": None,
            "phone_number_collection": {"enabled": False},
            "recovered_from": None,
            "saved_payment_method_options": None,
            "setup_intent": None,
            "shipping_address_collection": None,
            "shipping_cost": None,
            "shipping_options": [],
            "status": "open",
            "submit_type": params.get("submit_type"),
            "subscription": None,
            "success_url": params["success_url"],
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            "ui_mode": "hosted_page",
            "url": page_url + session_id,
            "wallet_options": None,
        }
    )


def product(account: Account, params: dict[str, Any], *, active: bool = True) -> StripeObject:
    now = account.now()
    return account.add(
        {
            "id": account.new_id("prod_"),
            "object": "product",
            "active": active,
            "created": now,
            "default_price": None,
            "description": params.get("description"),
            "images": params.get("images", []),
            "livemode": account.livemode,
            "marketing_features": [],
            "metadata": params.get("metadata", {}),
            "name": params["name"],
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "type": "service",
            "unit_label": None,
            "updated": now,
            "url": None,
        }
    )


def price(
    account: Account, product_id: str, unit_amount: int, currency: str, *, active: bool = True
) -> StripeObject:
    return account.add(
        {
            "id": account.new_id("price_1"),
            "object": "price",
            "active": active,
            "billing_scheme": "per_unit",
            "created": account.now(),
            "currency": currency,
            "custom_unit_amount": None,
            "livemode": account.livemode,
            "lookup_key": None,
            "metadata": {},
            "nickname": None,
            "product": product_id,
            "recurring": None,
            "tax_behavior": "unspecified",
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": unit_amount,
            "unit_amount_decimal": str(unit_amount),
        }
    )


def line_item(account: Account, price: StripeObject, params: dict[str, Any]) -> StripeObject:
    total = price["unit_amount"] * params["quantity"]
    return {
        "id": account.new_id("li_1"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price["currency"],
        "description": account.get("product", price["product"])["name"],
        "metadata": params.get("metadata", {}),
        "price": price,
        "quantity": params["quantity"],
    }


def payment_method(account: Account, card: dict[str, Any], billing_details: dict[str, Any]) -> StripeObject:
    """A card; `card` holds what a charge by it shows too."""
    shared = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    return account.add(
        {
            "id": account.new_id("pm_1"),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": billing_details,
            "card": {
                **{name: card[name] for name in shared},
                "display_brand": card["brand"],
                "generated_from": None,
                "networks": {"available": [card["brand"]], "preferred": None},
                "regulated_status": "unregulated",
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            },
            "created": account.now(),
            "customer": None,
            "customer_account": None,
            "livemode": account.livemode,
            "metadata": {},
            "radar_options": {},
            "type": "card",
        }
    )


def payment_intent(account: Account, session: StripeObject, params: dict[str, Any]) -> StripeObject:
    """The session's PaymentIntent; `params` are its `payment_intent_data`."""
    key = account.new_id("pi_3")
    return account.add(
        {
            "id": key,
            "object": "payment_intent",
            "allowed_payment_method_types": None,
            "amount": session["amount_total"],
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic_async",
            "client_secret": f"{key}_secret_{account.new_id('')}",
            "confirmation_method": "automatic",
            "created": account.now(),
            "currency": session["currency"],
            "customer": None,
            "customer_account": None,
            "description": params.get("description"),
            "excluded_payment_method_types": None,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": account.livemode,
            "metadata": params.get("metadata", {}),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {},
            "payment_method_types": session["payment_method_types"],
            "processing": None,
            "receipt_email": None,
            "review": None,
            "setup_future_usage": None,
            "shipping": params.get("shipping"),
            "source": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
        }
    )


def charge(
    account: Account, intent: StripeObject, billing: dict[str, Any], method_details: dict[str, Any]
) -> StripeObject:
    """A charge that succeeded; it copies the PaymentIntent's metadata."""
    return account.add(
        {
            "id": account.new_id("ch_3" if method_details["type"] == "card" else "py_3"),
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": intent["amount"],
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": billing,
            "calculated_statement_descriptor": "NYANKO" if method_details["type"] == "card" else None,
            "captured": True,
            "created": account.now(),
            "currency": intent["currency"],
            "customer": None,
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "livemode": account.livemode,
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": None,
            "outcome": {
                "advice_code": None,
                "network_advice_code": None,
                "network_decline_code": None,
                "network_status": "approved_by_network",
                "reason": None,
                "risk_level": "normal",
                "seller_message": "Payment complete.",
                "type": "authorized",
            },
            "paid": True,
            "payment_intent": intent["id"],
            "payment_method": intent["payment_method"],
            "payment_method_details": method_details,
            "radar_options": {},
            "receipt_email": None,
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "review": None,
            "shipping": None,
            "source": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "succeeded",
            "transfer_data": None,
            "transfer_group": None,
        }
    )


def event(account: Account, type_: str, data: dict[str, Any]) -> StripeObject:
    """Its version is the account's default of this moment, and stays so
    (https://docs.stripe.com/api/events/object#event_object-api_version)."""
    request = account.request
    return account.add(
        {
            "id": account.new_id("evt_1"),
            "object": "event",
            "api_version": account.api_version,
            "created": account.now(),
            "data": data,
            "livemode": account.livemode,
            "pending_webhooks": 0,
            "request": {
                "id": request.id if request else None,
                "idempotency_key": request.idempotency_key if request else None,
            },
            "type": type_,
        }
    )


def webhook_endpoint(account: Account, params: dict[str, Any]) -> StripeObject:
    return account.add(
        {
            "id": account.new_id("we_1"),
            "object": "webhook_endpoint",
            "api_version": params.get("api_version"),
            "application": None,
            "created": account.now(),
            "description": params.get("description"),
            "enabled_events": params["enabled_events"],
            "livemode": account.livemode,
            "metadata": params.get("metadata", {}),
            "status": "enabled",
            "url": params["url"],
        }
    )


def refund(account: Account, charge: StripeObject, amount: int, params: dict[str, Any]) -> StripeObject:
    return account.add(
        {
            "id": account.new_id("re_3" if charge["id"].startswith("ch_") else "pyr_1"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "created": account.now(),
            "currency": charge["currency"],
            "metadata": params.get("metadata", {}),
            "next_action": None,
            "payment_intent": charge["payment_intent"],
            "reason": params.get("reason"),
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "pending",
            "transfer_reversal": None,
        }
    )


EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


def dispute(account: Account, charge: StripeObject, amount: int, reason: str) -> StripeObject:
    """A chargeback that waits for an answer, before money has moved."""
    brand = charge["payment_method_details"]["card"]["brand"]
    return account.add(
        {
            "id": account.new_id("du_1"),
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [],
            "charge": charge["id"],
            "created": account.now(),
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(EVIDENCE), "appeal": None, "enhanced_evidence": {}},
            "evidence_details": {
                "due_by": account.now() + EVIDENCE_SECONDS,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "is_charge_refundable": True,
            "livemode": account.livemode,
            "metadata": {},
            "network_reason_code": None,
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "card": {
                    "brand": brand,
                    "case_type": "chargeback",
                    "network": brand,
                    "network_reason_code": None,
                },
                "type": "card",
            },
            "reason": reason,
            "status": "needs_response",
        }
    )


def balance_transaction(
    account: Account, source: StripeObject, type_: str, amount: int, fee: int = 0
) -> StripeObject:
    """Money that moved on the account's balance: `amount` is negative when it left, `fee` comes on top."""
    return account.add(
        {
            "id": account.new_id("txn_1"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": account.now() + SETTLING_SECONDS,
            "balance_type": "payments",
            "created": account.now(),
            "currency": source["currency"],
            "description": None,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [
                {
                    "amount": fee,
                    "application": None,
                    "currency": source["currency"],
                    "description": "Dispute fee"
                    if source["object"] == "dispute"
                    else "Stripe processing fees",
                    "type": "stripe_fee",
                }
            ]
            if fee
            else [],
            "net": amount - fee,
            "reporting_category": "dispute" if source["object"] == "dispute" else type_,
            "source": source["id"],
            "status": "pending",
            "type": type_,
        }
    )
