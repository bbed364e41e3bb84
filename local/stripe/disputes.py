"""Disputes from the bank's notice to their end (https://docs.stripe.com/disputes/how-disputes-work).

```
inquiry:     warning_needs_response ── submit ─► warning_under_review
                  │ close: warning_closed   │ escalate: becomes a chargeback
chargeback:  needs_response ── submit ─► under_review
                  │ win: won                │ lose: lost
appeal:      won, lost ── appeal ─► appeal_needs_response ── submit ─► appeal_under_review
                  │ win: won                │ lose: lost
either:      prevent: prevented, stopped before it counts as a chargeback
```

What each step does to the money, and what is told of it:

step                     balance transaction                     events
open                     -amount, and a fee on top               created, funds_withdrawn
open an inquiry          none                                    created
open a resolution        -amount, without a fee                  created, funds_withdrawn
open a block             none                                    created
escalate                 -amount, and a fee on top               updated, funds_withdrawn
submit                   none                                    updated
win                      what is away comes back                 closed, funds_reinstated
lose, close              none                                    closed
appeal                   of a won one: -amount, without a fee    updated, and then funds_withdrawn
prevent                  what is away comes back                 updated, and then funds_reinstated

Balance transactions: https://docs.stripe.com/api/disputes/object#dispute_object-balance_transactions, the
amount is what the bank took or gave, the fee stands beside it and makes `net`. That page knows up to two of
them; after an appeal there are more here. `charge.dispute.closed` is documented for lost, warning_closed and
won alone (https://docs.stripe.com/api/events/types#event_types-charge.dispute.closed).

Appeals: https://docs.stripe.com/disputes/arbitration and
https://docs.stripe.com/changelog/endive/2026-10-28/evidence-submission-appeal-dispute-decisions. That an
appeal against us takes the money again is assumed: Stripe documents the statuses, not the money.

Prevention: https://docs.stripe.com/changelog/basil/2025-08-27/add-preventions-to-dispute. A resolution rule
refunds the cardholder (https://docs.stripe.com/radar/rules/disputes), a block moves no money. That a
resolution shows a balance transaction is assumed.
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
APPEALS = ("appeal_needs_response", "appeal_under_review")
DECIDED = ("won", "lost")
GIVEN_UP = ("won", "warning_closed")
"""Ends after which the same money could be disputed again."""

PREVENTIONS = ("block", "resolution")


def open_(
    account: Account,
    charge: StripeObject,
    *,
    amount: int | None = None,
    reason: str = "fraudulent",
    inquiry: bool = False,
    prevention: str | None = None,
) -> StripeObject:
    """Dispute so many yen of a charge by card, or all that is neither refunded nor disputed.

    `prevention` is one of `PREVENTIONS`: such a dispute is prevented from the start. Raises `ApiError` when
    there is nothing, or not so much, to dispute.
    """
    disputable = left(account, charge)
    if disputable == 0:
        raise ApiError(f"Charge {charge['id']} cannot be disputed.")
    if amount is not None and amount > disputable:
        raise ApiError(
            f"Dispute amount (¥{amount:,}) is greater than what can be disputed (¥{disputable:,})",
            param="amount",
        )
    dispute = objects.dispute(account, charge, disputable if amount is None else amount, reason)
    card = dispute["payment_method_details"]["card"]
    charge["disputed"] = True
    if prevention is not None:
        dispute["status"] = "prevented"
        card["case_type"] = prevention
        if prevention == "resolution":
            _withdraw(account, dispute, fee=0)
    elif inquiry:
        dispute["status"] = "warning_needs_response"
        card["case_type"] = "inquiry"
    else:
        _withdraw(account, dispute)
    emit(account, "charge.dispute.created", dispute)
    if dispute["balance_transactions"]:
        emit(account, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def left(account: Account, charge: StripeObject) -> int:
    """Yen of a charge by card that are neither refunded nor disputed
    (https://docs.stripe.com/api/disputes/object#dispute_object-amount: part of an order may be)."""
    if charge["payment_method_details"]["type"] != "card":
        return 0
    disputed: int = sum(
        one["amount"]
        for one in account.objects["dispute"].values()
        if one["charge"] == charge["id"] and one["status"] not in GIVEN_UP
    )
    kept: int = charge["amount_captured"] - charge["amount_refunded"]
    return max(0, kept - disputed)


def answer(account: Account, dispute: StripeObject, evidence: dict[str, Any], *, submit: bool) -> None:
    """Stage evidence, or send it to the bank for review; raises `ApiError` when the case is over.

    An appeal takes the evidence of appeals and no other
    (https://docs.stripe.com/changelog/endive/2026-10-28/evidence-submission-appeal-dispute-decisions).
    """
    _check_status(dispute, CHARGEBACKS + INQUIRIES + APPEALS[:1])
    appealed = dispute["status"] in APPEALS
    if any((name == "appeal") is not appealed for name in evidence):
        raise ApiError(
            "While a dispute is appealed, appeal is the only evidence, and at no other time.",
            param="evidence",
        )
    details = dispute["evidence_details"]
    counted = {} if appealed else _counted(details, submit=submit)
    previous = change(
        dispute,
        evidence={**dispute["evidence"], **evidence},
        evidence_details={**details, "has_evidence": True, **counted},
    )
    if submit:
        previous |= change(dispute, status=dispute["status"].replace("needs_response", "under_review"))
    emit(account, "charge.dispute.updated", dispute, previous)


def submit(account: Account, dispute: StripeObject) -> None:
    """Send what is staged to the bank."""
    answer(account, dispute, {}, submit=True)


def win(account: Account, dispute: StripeObject) -> None:
    _check_status(dispute, CHARGEBACKS + APPEALS)
    _close(account, dispute, "won")


def lose(account: Account, dispute: StripeObject) -> None:
    _check_status(dispute, CHARGEBACKS + APPEALS)
    _close(account, dispute, "lost")


def close_inquiry(account: Account, dispute: StripeObject) -> None:
    _check_status(dispute, INQUIRIES)
    _close(account, dispute, "warning_closed")


def appeal(account: Account, dispute: StripeObject) -> None:
    """One side does not accept the decision: the bank takes the money again, or we ask for it once more."""
    _check_status(dispute, DECIDED)
    was_won = dispute["status"] == "won"
    details = {**dispute["evidence_details"], "due_by": account.now() + objects.EVIDENCE_SECONDS}
    previous = change(dispute, status="appeal_needs_response", evidence_details=details)
    emit(account, "charge.dispute.updated", dispute, previous)
    if was_won:
        _withdraw(account, dispute, fee=0)
        emit(account, "charge.dispute.funds_withdrawn", dispute)


def prevent(account: Account, dispute: StripeObject) -> None:
    """Stop an open dispute; what was away comes back."""
    _check_status(dispute, CHARGEBACKS + INQUIRIES)
    dispute["payment_method_details"]["card"]["case_type"] = "resolution"
    _end(account, dispute, "prevented", "charge.dispute.updated")


def escalate(account: Account, dispute: StripeObject) -> None:
    """The bank turns its inquiry into a chargeback (https://docs.stripe.com/disputes/how-disputes-work#inquiries)."""
    _check_status(dispute, INQUIRIES)
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    previous = change(dispute, status="needs_response")
    _withdraw(account, dispute)
    emit(account, "charge.dispute.updated", dispute, previous)
    emit(account, "charge.dispute.funds_withdrawn", dispute)


def _counted(details: dict[str, Any], *, submit: bool) -> dict[str, Any]:
    """The method is that of the chargeback, whatever an appeal does later
    (https://docs.stripe.com/changelog/endive/2026-10-28/evidence-submission-method-property-disputes)."""
    return {
        "submission_count": details["submission_count"] + submit,
        "submission_method": "manual" if submit else details["submission_method"],
    }


def _away(dispute: StripeObject) -> int:
    away: int = -sum(one["amount"] for one in dispute["balance_transactions"])
    return away


def _withdraw(account: Account, dispute: StripeObject, fee: int = FEE) -> None:
    dispute["is_charge_refundable"] = False
    dispute["balance_transactions"].append(
        objects.balance_transaction(account, dispute, "adjustment", -dispute["amount"], fee=fee)
    )


def _close(account: Account, dispute: StripeObject, status: str) -> None:
    _end(account, dispute, status, "charge.dispute.closed")


def _end(account: Account, dispute: StripeObject, status: str, event_type: str) -> None:
    reinstated = _away(dispute) if status != "lost" else 0
    previous = change(dispute, status=status, is_charge_refundable=status != "lost")
    if reinstated:
        dispute["balance_transactions"].append(
            objects.balance_transaction(account, dispute, "adjustment", reinstated)
        )
    emit(account, event_type, dispute, previous)
    if reinstated:
        emit(account, "charge.dispute.funds_reinstated", dispute)


def _check_status(dispute: StripeObject, allowed: tuple[str, ...]) -> None:
    if dispute["status"] not in allowed:
        raise ApiError(
            f"The dispute has a status of {dispute['status']}; it would have to be {' or '.join(allowed)}.",
            executed=True,
        )
