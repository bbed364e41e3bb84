"""One purchase as Stripe has it on record, beside what we have, and the balance of many."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nyanko.facts import Facts
from nyanko.purchases import Purchase, entitled
from nyanko.readings import dispute_facts, refund_facts


@dataclass(frozen=True, slots=True)
class StripePurchase:
    """What Stripe's objects say of one purchase; `changed_at` is when they changed last (epoch seconds UTC),
    as far as they tell."""

    purchase_id: str
    session_id: str
    facts: Facts
    changed_at: int
    expires_at: int
    is_open: bool


def stripe_purchase(
    session: Mapping[str, Any], refunds: Iterable[Mapping[str, Any]], disputes: Iterable[Mapping[str, Any]]
) -> StripePurchase:
    """Of a session of ours with payment and charge in place, and all refunds and disputes of the payment."""
    payment = session.get("payment_intent") or {}
    charge = payment.get("latest_charge") or {}
    refunds, disputes = list(refunds), list(disputes)
    is_paid = session["payment_status"] == "paid"
    facts = Facts(
        paid=session["amount_total"] if is_paid else 0,
        pending=session["status"] == "complete" and not is_paid,
        closed="expired" if session["status"] == "expired" else None,
        payment_intent=payment.get("id"),
    )
    for told in (*map(refund_facts, refunds), *(dispute_facts(one, one["created"]) for one in disputes)):
        facts = facts.merge(told)
    changes = [session, *([charge] if charge else []), *refunds, *disputes]
    return StripePurchase(
        purchase_id=session["metadata"]["purchase_id"],
        session_id=session["id"],
        facts=facts,
        changed_at=max(one["created"] for one in changes),
        expires_at=session["expires_at"],
        is_open=session["status"] == "open",
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """One payment at Stripe, beside the purchase that it is for.

    `explained` says that whatever differs is young, or waits for an event that is on its way or parked.
    `own_session` is the purchase's session if this is another one that names the purchase too, and then
    `purchase` is None: its money is paid again. All sums are yen:

        paid - refunded - held = due = granted + outstanding + unexplained

    but for what is unexplained on top of it: packs that nobody paid for, refunds that only one side knows.
    """

    stripe: StripePurchase
    purchase: Purchase | None
    explained: bool = False
    own_session: str | None = None

    @property
    def paid_yen(self) -> int:
        return self.stripe.facts.paid

    @property
    def refunded_yen(self) -> int:
        return min(self.stripe.facts.refunded, self.paid_yen)

    @property
    def held_yen(self) -> int:
        """Disputed money: not ours while the dispute is open, or any more."""
        return min(self.stripe.facts.held, self.paid_yen - self.refunded_yen)

    @property
    def due_yen(self) -> int:
        """What items must stand for."""
        return self.paid_yen - self.refunded_yen - self.held_yen

    @property
    def missing_packs(self) -> int:
        """Packs that are due by what Stripe says and not granted; negative if too many are."""
        if self.purchase is None:
            return 0
        return entitled(replace(self.purchase, facts=self.stripe.facts)) - self.purchase.granted

    @property
    def gap_yen(self) -> int:
        """What is at stake: packs by their price, or else the money that only one side knows."""
        if self.purchase is None:
            return self.due_yen
        if self.missing_packs > 0:
            return self.due_yen - min(self.due_yen, self.purchase.granted * self.purchase.product.unit_amount)
        if self.missing_packs < 0:
            return -self.missing_packs * self.purchase.product.unit_amount
        ours = self.purchase.facts
        return abs(self.paid_yen - ours.paid) + abs(self.stripe.facts.refunded - ours.refunded)

    @property
    def granted_yen(self) -> int:
        is_short = self.purchase is None or self.missing_packs > 0
        return self.due_yen - self.gap_yen if is_short else self.due_yen

    @property
    def outstanding_yen(self) -> int:
        """Paid and not yet granted, with the reason known."""
        return self.due_yen - self.granted_yen if self.explained else 0

    @property
    def unexplained_yen(self) -> int:
        return 0 if self.explained else self.gap_yen

    @property
    def differences(self) -> list[str]:
        """What differs, in words; whether somebody is to be asked, `explained` tells."""
        if self.own_session is not None:
            again = f"{self.due_yen} were paid again, by {self.stripe.session_id} beside {self.own_session}"
            return [again] if self.due_yen else []
        if self.purchase is None:
            paid = self.paid_yen
            return [f"Stripe was paid {paid} for a purchase that we do not have"] if paid else []
        ours, theirs = self.purchase.facts, self.stripe.facts
        found = []
        if theirs.paid != ours.paid:
            found.append(f"Stripe was paid {theirs.paid}, we know of {ours.paid}")
        if theirs.refunded != ours.refunded:
            found.append(f"Stripe refunded {theirs.refunded}, we know of {ours.refunded}")
        if theirs.held != ours.held:
            found.append(f"disputes hold {theirs.held} at Stripe, {ours.held} by what we know")
        if self.missing_packs:
            granted = self.purchase.granted
            found.append(f"{granted + self.missing_packs} packs are due, {granted} are granted")
        return found


def compare(stripe: StripePurchase, purchase: Purchase | None) -> Comparison:
    """The payment of a session beside the purchase that it names, if we have that."""
    if purchase is not None and not purchase.accepts_session(stripe.session_id):
        return Comparison(stripe, None, own_session=purchase.session_id)
    return Comparison(stripe, purchase)


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """The balance of many purchases; `Comparison` says what each sum means."""

    purchases: int
    paid_yen: int
    refunded_yen: int
    held_yen: int
    granted_yen: int
    outstanding_yen: int
    unexplained_yen: int


def balance(comparisons: Iterable[Comparison]) -> BalanceSheet:
    comparisons = list(comparisons)
    return BalanceSheet(
        purchases=len(comparisons),
        paid_yen=sum(one.paid_yen for one in comparisons),
        refunded_yen=sum(one.refunded_yen for one in comparisons),
        held_yen=sum(one.held_yen for one in comparisons),
        granted_yen=sum(one.granted_yen for one in comparisons),
        outstanding_yen=sum(one.outstanding_yen for one in comparisons),
        unexplained_yen=sum(one.unexplained_yen for one in comparisons),
    )
