"""A purchase: what was ordered, what Stripe said of its money, and what was granted for it."""

import re
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Literal, Self, TypedDict

from nyanko.catalog import Product, ProductJson
from nyanko.errors import Permanent
from nyanko.facts import Facts, FactsJson

Status = Literal[
    "created", "pending", "paid", "granted", "expired", "failed", "partially_refunded", "refunded", "disputed"
]

PURCHASE_ID = re.compile(r"pur_[0-9a-f]{32}", re.ASCII)
"""What `checkout` makes. In metadata another shape is another program's: all of an account share the metadata
(https://docs.stripe.com/metadata)."""

CHECKOUT_SECONDS = 3600
"""How long the Checkout Session stays open: Stripe allows 30 minutes to 24 hours after its creation
(https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at)."""


class PurchaseJson(TypedDict):
    """`Purchase` as the workflow carries it and its row stores it, which leaves out what is None."""

    purchase_id: str
    player_id: str
    product: ProductJson
    quantity: int
    created_at: int
    updated_at: int
    session_id: str | None
    url: str | None
    facts: FactsJson
    granted: int
    version: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """One order of `quantity` packs of `product`, which is the catalog's entry as it was at that moment.

    `amount` is an integer in the currency's minor unit; times are epoch seconds UTC. `granted` counts the
    packs that the inventory holds for it, `version` its changes: every write is conditional on it.
    """

    purchase_id: str
    player_id: str
    product: Product
    quantity: int
    created_at: int
    updated_at: int
    session_id: str | None = None
    url: str | None = None
    facts: Facts = field(default_factory=Facts)
    granted: int = 0
    version: int = 0

    @property
    def amount(self) -> int:
        return self.product.unit_amount * self.quantity

    @property
    def currency(self) -> str:
        return self.product.currency

    @property
    def expires_at(self) -> int:
        return self.created_at + CHECKOUT_SECONDS

    def accepts_session(self, session_id: str) -> bool:
        """Whether the session is the purchase's own. A row that a crash left without one takes any."""
        return self.session_id in (None, session_id)

    def to_dict(self) -> PurchaseJson:
        return {
            "purchase_id": self.purchase_id,
            "player_id": self.player_id,
            "product": self.product.to_dict(),
            "quantity": self.quantity,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "session_id": self.session_id,
            "url": self.url,
            "facts": self.facts.to_dict(),
            "granted": self.granted,
            "version": self.version,
        }

    @classmethod
    def from_dict(cls, raw: PurchaseJson) -> Self:
        return cls(
            purchase_id=raw["purchase_id"],
            player_id=raw["player_id"],
            product=Product.from_dict(raw["product"]),
            quantity=raw["quantity"],
            created_at=raw["created_at"],
            updated_at=raw["updated_at"],
            session_id=raw.get("session_id"),
            url=raw.get("url"),
            facts=Facts.from_dict(raw["facts"]),
            granted=raw["granted"],
            version=raw["version"],
        )


def with_facts(purchase: Purchase, facts: Facts, now: int) -> Purchase:
    """The purchase once these facts are recorded, which is a change of its version."""
    return replace(purchase, facts=facts, version=purchase.version + 1, updated_at=now)


def entitled(purchase: Purchase) -> int:
    """How many of the bought packs the player is entitled to now: a pure function of the facts.

    Disputed money is not ours while it is away. A partial refund, or a dispute of a part, that leaves part of
    a pack paid takes nothing of that pack back.
    """
    facts = purchase.facts
    kept = facts.paid - facts.refunded - facts.held
    return min(purchase.quantity, max(0, ceil(kept / purchase.product.unit_amount)))


def status(purchase: Purchase) -> Status:
    """The one word that the client is told, derived from the facts and the grant."""
    facts = purchase.facts
    if facts.paid:
        if facts.held:
            return "disputed"
        if facts.refunded >= facts.paid:
            return "refunded"
        if facts.refunded:
            return "partially_refunded"
        return "granted" if purchase.granted == entitled(purchase) else "paid"
    if facts.closed == "async_failed":
        return "failed"
    if facts.closed == "expired":
        return "expired"
    return "pending" if facts.pending else "created"


def check_session(purchase: Purchase, session_id: str | None) -> None:
    """Raise `Permanent` (`OtherSession`) for a session that is not the purchase's own.

    A purchase has one payment, that of the session that we opened; None is of no session.
    """
    if session_id is not None and not purchase.accepts_session(session_id):
        raise Permanent(
            "OtherSession",
            f"{purchase.purchase_id} has the session {purchase.session_id}; {session_id} is another payment",
        )


def check_amount(purchase: Purchase, amount: int | None, currency: str | None) -> None:
    """Raise `Permanent` (`AmountMismatch`) unless Stripe collects what was ordered; None says nothing."""
    if amount is not None and amount != purchase.amount:
        raise Permanent(
            "AmountMismatch", f"{purchase.purchase_id} costs {purchase.amount}, but Stripe collects {amount}"
        )
    if currency is not None and currency != purchase.currency:
        raise Permanent(
            "AmountMismatch", f"{purchase.purchase_id} is in {purchase.currency}, but Stripe says {currency}"
        )
