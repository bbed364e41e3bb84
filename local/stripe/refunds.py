"""Refunds from request to end (https://docs.stripe.com/refunds).

A card refund succeeds at once, later, or fails after it succeeded, as the test card wants. Konbini cannot
take money back: its buyer has to answer an e-mail first (https://docs.stripe.com/payments/konbini#refunds).
Every refund that may still succeed reserves its amount; it counts as refunded while pending or succeeded.
"""

from collections.abc import Callable
from typing import Any

from local.stripe import objects
from local.stripe.errors import ApiError
from local.stripe.events import change, emit
from local.stripe.store import Account, StripeObject

BANK_SECONDS = 3
"""How long the bank takes to answer here; Stripe's test mode takes minutes."""

RESERVING = ("pending", "requires_action", "succeeded")
COUNTED = ("pending", "succeeded")

FAILURE_REASONS = (
    "charge_for_pending_refund_disputed",
    "declined",
    "expired_or_canceled_card",
    "insufficient_funds",
    "lost_or_stolen_card",
    "merchant_request",
    "unknown",
)


def create(account: Account, params: dict[str, Any]) -> StripeObject:
    """`params` name a `charge` or a `payment_intent`; without `amount` (yen) all that is left is refunded."""
    charge = _charge_of(account, params)
    amount = _refundable_amount(account, charge, params.get("amount"))
    email = params.get("instructions_email", charge["billing_details"]["email"])
    by_konbini = charge["payment_method_details"]["type"] == "konbini"
    if by_konbini and email is None:
        raise ApiError(
            "This payment method has no native refunds: provide instructions_email.",
            code="parameter_missing",
            param="instructions_email",
        )
    refund = objects.refund(account, charge, amount, params)
    if by_konbini:
        refund.update(instructions_email=email, **_request_to_buyer(account, email))
    else:
        _start_at_bank(account, charge, refund)
    emit(account, "refund.created", refund)
    _recount(account, charge)
    return refund


def succeed(account: Account, refund: StripeObject) -> None:
    """The buyer has the money; raises `ApiError` when it was not under way."""
    _check_status(refund, ("pending", "requires_action"))
    previous = change(refund, status="succeeded", next_action=None)
    if refund["balance_transaction"] is None:
        _book(account, refund)
    _updated(account, refund, previous)
    _recount(account, account.get("charge", refund["charge"]))


def fail(account: Account, refund: StripeObject, reason: str = "unknown") -> None:
    """The money came back to us, be it after success; `reason` is one of `FAILURE_REASONS`.

    Raises `ApiError` when the refund has failed or was canceled before.
    """
    _check_status(refund, RESERVING)
    previous = change(refund, status="failed", failure_reason=reason, next_action=None)
    if refund["balance_transaction"] is not None:
        refund["failure_balance_transaction"] = objects.balance_transaction(
            account, refund, "refund_failure", refund["amount"]
        )["id"]
    emit(account, "refund.failed", refund, previous)
    _updated(account, refund, previous)
    _recount(account, account.get("charge", refund["charge"]))


def cancel(account: Account, refund: StripeObject) -> None:
    """Take the request back while the buyer has not answered it
    (https://docs.stripe.com/api/refunds/cancel)."""
    _check_status(refund, ("requires_action",))
    _updated(account, refund, change(refund, status="canceled", next_action=None))


def left(account: Account, charge: StripeObject) -> int:
    """Yen of a charge that no refund has taken or reserved."""
    refunds = account.objects["refund"].values()
    reserved: int = sum(
        refund["amount"]
        for refund in refunds
        if refund["charge"] == charge["id"] and refund["status"] in RESERVING
    )
    captured: int = charge["amount_captured"]
    return captured - reserved


def _charge_of(account: Account, params: dict[str, Any]) -> StripeObject:
    if ("charge" in params) == ("payment_intent" in params):
        raise ApiError(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    if "charge" in params:
        charge = account.get("charge", params["charge"], param="charge", status=400)
    else:
        intent = account.get("payment_intent", params["payment_intent"], param="payment_intent", status=400)
        if intent["status"] != "succeeded":
            raise ApiError(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                executed=True,
            )
        charge = account.get("charge", intent["latest_charge"])
    return charge


def _refundable_amount(account: Account, charge: StripeObject, wanted: int | None) -> int:
    disputes = account.objects["dispute"].values()
    if any(one["charge"] == charge["id"] and not one["is_charge_refundable"] for one in disputes):
        raise ApiError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
            executed=True,
        )
    if not charge["paid"]:
        raise ApiError(f"Charge {charge['id']} has not been paid; cannot issue a refund.", executed=True)
    available = left(account, charge)
    if available == 0:
        raise ApiError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", executed=True
        )
    if wanted is not None and wanted > available:
        raise ApiError(
            f"Refund amount (¥{wanted:,}) is greater than unrefunded amount on charge (¥{available:,})",
            param="amount",
            executed=True,
        )
    return available if wanted is None else wanted


def _request_to_buyer(account: Account, email: str) -> dict[str, Any]:
    return {
        "status": "requires_action",
        "next_action": {
            "type": "display_details",
            "display_details": {
                "email_sent": {"email_sent_at": account.now(), "email_sent_to": email},
                "expires_at": account.now() + 45 * 24 * 3600,
            },
        },
    }


def _start_at_bank(account: Account, charge: StripeObject, refund: StripeObject) -> None:
    entry = account.payment_methods[charge["payment_method"]].card
    course = entry.card.refund if entry is not None else "at_once"
    refund["status"] = "pending" if course == "later" else "succeeded"
    refund["destination_details"] = {
        "card": {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        },
        "type": "card",
    }
    _book(account, refund)
    outcome = {"at_once": _add_reference, "later": succeed, "fails": fail}[course]
    _when_bank_answers(account, refund, outcome)


def _when_bank_answers(
    account: Account, refund: StripeObject, outcome: Callable[[Account, StripeObject], None]
) -> None:
    """Unless something else happened to the refund in the meantime."""
    expected = refund["status"]

    def answer() -> None:
        if refund["status"] == expected:
            outcome(account, refund)

    account.at(account.now() + BANK_SECONDS, answer)


def _add_reference(account: Account, refund: StripeObject) -> None:
    """The bank names the number by which the buyer can trace the money: an update without a new status."""
    details = {
        **refund["destination_details"]["card"],
        "reference": "0" * 23,
        "reference_status": "available",
    }
    _updated(account, refund, change(refund, destination_details={"card": details, "type": "card"}))


def _book(account: Account, refund: StripeObject) -> None:
    refund["balance_transaction"] = objects.balance_transaction(account, refund, "refund", -refund["amount"])[
        "id"
    ]


def _updated(account: Account, refund: StripeObject, previous: dict[str, Any]) -> None:
    emit(account, "refund.updated", refund, previous)
    emit(account, "charge.refund.updated", refund, previous)


def _recount(account: Account, charge: StripeObject) -> None:
    """Bring the charge's sum up to date; only a rising one is told, as `charge.refunded`."""
    refunds = account.objects["refund"].values()
    amount = sum(
        refund["amount"]
        for refund in refunds
        if refund["charge"] == charge["id"] and refund["status"] in COUNTED
    )
    previous = change(charge, amount_refunded=amount, refunded=amount == charge["amount"])
    if amount > previous.get("amount_refunded", amount):
        emit(account, "charge.refunded", charge, previous)


def _check_status(refund: StripeObject, allowed: tuple[str, ...]) -> None:
    if refund["status"] not in allowed:
        raise ApiError(
            f"The refund has a status of {refund['status']}; it would have to be {' or '.join(allowed)}.",
            executed=True,
        )
