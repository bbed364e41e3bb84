"""What of a purchase can be given back, and what makes two requests for it the same one."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nyanko.facts import REFUND_ORDER
from nyanko.purchases import Purchase

ENDED_WITHOUT = REFUND_ORDER[REFUND_ORDER.index("canceled") :]
"""Refunds that gave nothing back after all."""

MAX_METADATA = 500
"""Characters of a value in Stripe's metadata (https://docs.stripe.com/metadata#data)."""


class NotRefundable(Exception):
    """There is nothing to give back, or Stripe refuses; the text says why."""


@dataclass(frozen=True, slots=True)
class Refunded:
    """`amount` is yen, `status` Stripe's."""

    refund_id: str
    amount: int
    status: str

    @property
    def counts(self) -> bool:
        """Whether it has given the money back, or is about to."""
        return self.status not in ENDED_WITHOUT

    def __str__(self) -> str:
        return f"{self.refund_id} of {self.amount} yen, {self.status}"


class RefundedBefore(NotRefundable):
    """Money of the purchase was given back before, and it was not said that more should be."""


@dataclass(frozen=True, slots=True)
class Refunding:
    """A refund that an operator wants: `amount` yen, beside the refunds that are `known`.

    `email` is where Stripe asks the buyer how to send the money, None if it need not.
    """

    purchase_id: str
    payment_intent: str
    amount: int
    email: str | None
    known: Sequence[Refunded]

    @property
    def idempotency_key(self) -> str:
        """The same for whoever wants the same and knows of the same refunds.

        So two who give back the same at once make one refund, and so does whoever repeats what was
        interrupted; after a refund that failed, the next one is another. What may change meanwhile, as a
        refund's status and the operator's words, is not in it.
        """
        intent = [self.amount, self.email, sorted(one.refund_id for one in self.known)]
        digest = hashlib.sha256(json.dumps(intent).encode()).hexdigest()
        return f"refund-{self.purchase_id}-{digest[:32]}"


def known_refunds(purchase: Purchase, told: Iterable[Refunded]) -> list[Refunded]:
    """The refunds of the purchase: what Stripe tells of them now, and those that we know of beside."""
    facts = purchase.facts.refunds.items()
    ours = {name: Refunded(name, refund.amount, refund.status) for name, refund in facts}
    return list({**ours, **{one.refund_id: one for one in told}}.values())


def check_refundable(purchase: Purchase) -> str:
    """The payment (PaymentIntent) that can be refunded. Raises `NotRefundable`."""
    if purchase.facts.payment_intent is None or not purchase.facts.paid:
        raise NotRefundable(f"{purchase.purchase_id} was not paid")
    if purchase.facts.held:
        raise NotRefundable(
            f"{purchase.purchase_id} is disputed: the bank decides, and Stripe refuses refunds"
        )
    return purchase.facts.payment_intent


def plan_refund(
    purchase: Purchase, known: Sequence[Refunded], amount: int | None, email: str | None, *, again: bool
) -> Refunding:
    """The refund of `amount` yen, or of all that is left.

    Raises `RefundedBefore` while an earlier refund counts, unless `again`; `NotRefundable` for what cannot be
    refunded.
    """
    payment_intent = check_refundable(purchase)
    counting = [one for one in known if one.counts]
    left = purchase.facts.paid - sum(one.amount for one in counting)
    earlier = "; ".join(map(str, counting))
    if left <= 0:
        raise NotRefundable(f"{purchase.purchase_id} has been refunded already: {earlier}")
    if counting and not again:
        raise RefundedBefore(f"{purchase.purchase_id} was refunded before: {earlier}. {left} yen are left")
    if amount is not None and not 1 <= amount <= left:
        raise NotRefundable(f"{purchase.purchase_id} has {left} yen left to refund, not {amount}")
    return Refunding(purchase.purchase_id, payment_intent, left if amount is None else amount, email, known)


def is_recorded(purchase: Purchase, refunded: Refunded) -> bool:
    """Whether the purchase shows the refund, as it is or as it became later."""
    recorded = purchase.facts.refunds.get(refunded.refund_id)
    if recorded is None or refunded.status not in REFUND_ORDER:
        return recorded is not None
    return REFUND_ORDER.index(recorded.status) >= REFUND_ORDER.index(refunded.status)


def as_recorded(purchase: Purchase, refunded: Refunded) -> Refunded:
    """The refund with the status that the purchase shows, which may be a later one."""
    recorded = purchase.facts.refunds.get(refunded.refund_id)
    return replace(refunded, status=recorded.status) if recorded else refunded
