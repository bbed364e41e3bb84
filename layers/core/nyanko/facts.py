"""What Stripe has told us about one purchase, and how facts merge.

`Facts.merge` is a join: commutative, associative and idempotent. Whatever order Stripe's events come in, and
however often, the same set of events ends in the same facts
(https://docs.stripe.com/webhooks#event-ordering: no order is promised).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self, TypedDict, TypeVar, get_args

RefundStatus = Literal["pending", "requires_action", "succeeded", "canceled", "failed"]
"""In the order in which a later one wins: a refund may fail after it succeeded, never the reverse
(https://docs.stripe.com/refunds#failed-refunds)."""

Closing = Literal["expired", "async_failed"]
"""Why no payment is expected any more, in the order in which the later one wins. Neither beats a payment."""

INQUIRIES = frozenset({"warning_needs_response", "warning_under_review"})
ENDED = frozenset({"won", "lost", "warning_closed", "prevented"})
"""Statuses of a dispute that only an appeal follows (https://docs.stripe.com/api/disputes/object)."""
REFUND_ORDER: tuple[RefundStatus, ...] = get_args(RefundStatus)
_CLOSING_ORDER: tuple[Closing, ...] = get_args(Closing)
_Fact = TypeVar("_Fact", "Refund", "Dispute")


class RefundJson(TypedDict):
    amount: int
    status: RefundStatus


class DisputeJson(TypedDict):
    status: str
    away_yen: int | None
    at: int


class FactsJson(TypedDict):
    """`Facts` as the workflow carries them and the purchase row stores them."""

    paid: int
    pending: bool
    closed: Closing | None
    payment_intent: str | None
    refunds: Mapping[str, RefundJson]
    disputes: Mapping[str, DisputeJson]


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of the purchase's payment; `amount` is an integer in the currency's minor unit."""

    amount: int
    status: RefundStatus

    def merge(self, other: Self) -> Self:
        return max(self, other, key=lambda refund: (REFUND_ORDER.index(refund.status), refund.amount))


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute of the purchase's payment, as it stood at `at` (epoch seconds UTC).

    `away_yen` is what the bank has taken: nothing, a part, or all of the payment. None is all that was paid,
    where Stripe names no sum in yen.
    """

    status: str
    away_yen: int | None
    at: int

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def merge(self, other: Self) -> Self:
        """Of two facts about one dispute the later wins; in the same second the ended one, then the larger
        sum, then the status as text."""
        return max(self, other, key=_dispute_order)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a purchase's money; amounts are integers in the currency's minor unit.

    `paid` is the amount confirmed as paid, `pending` that a delayed payment was chosen, `closed` that none is
    expected any more, `refunds` and `disputes` are by Stripe's ids.
    """

    paid: int = 0
    pending: bool = False
    closed: Closing | None = None
    payment_intent: str | None = None
    refunds: Mapping[str, Refund] = field(default_factory=dict)
    disputes: Mapping[str, Dispute] = field(default_factory=dict)

    @property
    def refunded(self) -> int:
        return sum(refund.amount for refund in self.refunds.values() if refund.status == "succeeded")

    @property
    def held(self) -> int:
        """What disputes have taken of the payment, at most all that was paid."""
        away = (dispute.away_yen for dispute in self.disputes.values())
        return min(self.paid, sum(self.paid if yen is None else yen for yen in away))

    def merge(self, other: Self) -> Self:
        return type(self)(
            paid=max(self.paid, other.paid),
            pending=self.pending or other.pending,
            closed=max(self.closed, other.closed, key=_closing_order),
            payment_intent=max(self.payment_intent, other.payment_intent, key=lambda known: known or ""),
            refunds=_merge_by_id(self.refunds, other.refunds),
            disputes=_merge_by_id(self.disputes, other.disputes),
        )

    def to_dict(self) -> FactsJson:
        return {
            "paid": self.paid,
            "pending": self.pending,
            "closed": self.closed,
            "payment_intent": self.payment_intent,
            "refunds": {
                refund_id: {"amount": refund.amount, "status": refund.status}
                for refund_id, refund in sorted(self.refunds.items())
            },
            "disputes": {
                dispute_id: {"status": dispute.status, "away_yen": dispute.away_yen, "at": dispute.at}
                for dispute_id, dispute in sorted(self.disputes.items())
            },
        }

    @classmethod
    def from_dict(cls, raw: FactsJson) -> Self:
        return cls(
            paid=raw["paid"],
            pending=raw["pending"],
            closed=raw["closed"],
            payment_intent=raw["payment_intent"],
            refunds={refund_id: Refund(**refund) for refund_id, refund in raw["refunds"].items()},
            disputes={dispute_id: Dispute(**dispute) for dispute_id, dispute in raw["disputes"].items()},
        )


def _closing_order(closed: Closing | None) -> int:
    return -1 if closed is None else _CLOSING_ORDER.index(closed)


def _dispute_order(dispute: Dispute) -> tuple[int, bool, float, str]:
    away = float("inf") if dispute.away_yen is None else dispute.away_yen
    return dispute.at, dispute.ended, away, dispute.status


def _merge_by_id(ours: Mapping[str, _Fact], theirs: Mapping[str, _Fact]) -> dict[str, _Fact]:
    merged = dict(ours)
    for identifier, fact in theirs.items():
        merged[identifier] = merged[identifier].merge(fact) if identifier in merged else fact
    return merged
