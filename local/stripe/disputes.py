"""Disputes from the bank's notice to their end (https://docs.stripe.com/disputes/how-disputes-work).

```
inquiry:     warning_needs_response ── evidence ─► warning_under_review
                  │ close: warning_closed   │ escalate: becomes a chargeback
chargeback:  needs_response ── evidence ─► under_review
                  │ win: won                │ lose: lost
either:           prevent: prevented, stopped before it counts as a chargeback
```

A chargeback takes the money away: `charge.dispute.funds_withdrawn` right after it was opened or escalated.
To win or prevent it brings the money back: `charge.dispute.funds_reinstated` right after
`charge.dispute.closed`. An inquiry moves no money.
"""

from typing import Any

from local.stripe import objects
from local.stripe.errors import ApiError
from local.stripe.events import change, emit
from local.stripe.store import Account, StripeObject

FEE = 1500
"""Yen that a chargeback costs on top, whatever its end; for the balance transactions only."""

REASONS = (
    "credit_not_processed",
    "duplicate",
    "fraudulent",
    "general",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)

CHARGEBACKS = ("needs_response", "under_review")
INQUIRIES = ("warning_needs_response", "warning_under_review")


def open_(
    account: Account, charge: StripeObject, *, reason: str = "fraudulent", inquiry: bool = False
) -> StripeObject:
    """Dispute what was not refunded of a charge by card, once; raises `ApiError` otherwise."""
    amount = charge["amount_captured"] - charge["amount_refunded"]
    already = any(one["charge"] == charge["id"] for one in account.objects["dispute"].values())
    if charge["payment_method_details"]["type"] != "card" or amount == 0 or already:
        raise ApiError(f"Charge {charge['id']} cannot be disputed.")
    dispute = objects.dispute(account, charge, amount, reason)
    charge["disputed"] = True
    if inquiry:
        dispute["status"] = "warning_needs_response"
        dispute["payment_method_details"]["card"]["case_type"] = "inquiry"
        emit(account, "charge.dispute.created", dispute)
        return dispute
    _withdraw(account, dispute)
    emit(account, "charge.dispute.created", dispute)
    emit(account, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def answer(account: Account, dispute: StripeObject, evidence: dict[str, Any], *, submit: bool) -> None:
    """Stage evidence, or send it to the bank for review; raises `ApiError` when the case is over."""
    _check_status(dispute, CHARGEBACKS + INQUIRIES)
    details = dispute["evidence_details"]
    previous = change(
        dispute,
        evidence={**dispute["evidence"], **evidence},
        evidence_details={
            **details,
            "has_evidence": True,
            "submission_count": details["submission_count"] + submit,
            "submission_method": "manual" if submit else details["submission_method"],
        },
    )
    if submit:
        previous |= change(dispute, status=dispute["status"].replace("needs_response", "under_review"))
    emit(account, "charge.dispute.updated", dispute, previous)


def win(account: Account, dispute: StripeObject) -> None:
    _check_status(dispute, CHARGEBACKS)
    _close(account, dispute, "won")


def lose(account: Account, dispute: StripeObject) -> None:
    _check_status(dispute, CHARGEBACKS)
    _close(account, dispute, "lost")


def close_inquiry(account: Account, dispute: StripeObject) -> None:
    _check_status(dispute, INQUIRIES)
    _close(account, dispute, "warning_closed")


def prevent(account: Account, dispute: StripeObject) -> None:
    """https://docs.stripe.com/changelog/basil/2025-08-27/add-preventions-to-dispute"""
    _check_status(dispute, CHARGEBACKS + INQUIRIES)
    dispute["payment_method_details"]["card"]["case_type"] = "resolution"
    _close(account, dispute, "prevented")


def escalate(account: Account, dispute: StripeObject) -> None:
    """The bank turns its inquiry into a chargeback."""
    _check_status(dispute, INQUIRIES)
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    previous = change(dispute, status="needs_response")
    _withdraw(account, dispute)
    emit(account, "charge.dispute.updated", dispute, previous)
    emit(account, "charge.dispute.funds_withdrawn", dispute)


def _withdraw(account: Account, dispute: StripeObject) -> None:
    dispute["is_charge_refundable"] = False
    dispute["balance_transactions"].append(
        objects.balance_transaction(account, dispute, "adjustment", -dispute["amount"], fee=FEE)
    )


def _close(account: Account, dispute: StripeObject, status: str) -> None:
    reinstated = bool(dispute["balance_transactions"]) and status != "lost"
    previous = change(dispute, status=status, is_charge_refundable=status != "lost")
    if reinstated:
        dispute["balance_transactions"].append(
            objects.balance_transaction(account, dispute, "adjustment", dispute["amount"])
        )
    emit(account, "charge.dispute.closed", dispute, previous)
    if reinstated:
        emit(account, "charge.dispute.funds_reinstated", dispute)


def _check_status(dispute: StripeObject, allowed: tuple[str, ...]) -> None:
    if dispute["status"] not in allowed:
        raise ApiError(
            f"The dispute has a status of {dispute['status']}; it would have to be {' or '.join(allowed)}."
        )
