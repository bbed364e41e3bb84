"""Grant items: the inventory converges on the facts, in one transaction with the ledger and the event."""

from dataclasses import replace
from typing import TYPE_CHECKING

from nyanko.errors import Permanent, Retryable
from nyanko.grants import Grant, converge
from nyanko.purchases import Purchase

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_events import Events
    from nyanko.adapters.dynamodb_grants import Grants
    from nyanko.adapters.dynamodb_purchases import Purchases


class GrantItems:
    def __init__(self, *, purchases: "Purchases", grants: "Grants", events: "Events") -> None:
        self._purchases = purchases
        self._grants = grants
        self._events = events

    def __call__(self, recorded: Purchase, event_id: str, execution: str, now: int) -> Grant:
        """The grant that was made: of the purchase as it was recorded, or as it is if it changed since then.

        Raises `Permanent` (`UnknownPurchase`); `Retryable` (`Conflict`) when it changed twice meanwhile.
        """
        grant = converge(recorded, now)
        if self._apply(grant, event_id, execution, now):
            return self._told(grant)
        purchase = self._purchases.get(recorded.purchase_id)
        if purchase is None:
            raise Permanent("UnknownPurchase", f"there is no purchase {recorded.purchase_id}")
        grant = converge(purchase, now)
        if not self._apply(grant, event_id, execution, now):
            raise Retryable("Conflict", f"{recorded.purchase_id} changed while granting")
        return self._told(grant)

    def _told(self, grant: Grant) -> Grant:
        """The grant, which tells of what the purchase's version changed, whichever event or attempt did it:
        there is one notice of a version, and who comes first writes it."""
        if grant.nothing_due and grant.after.facts.paid:
            return replace(grant, items=self._grants.items_of(grant.after))
        return grant

    def _apply(self, grant: Grant, event_id: str, execution: str, now: int) -> bool:
        if grant.nothing_due:
            self._events.apply(event_id, grant.after.purchase_id, now)
            return True
        return self._grants.apply(grant, event_id, execution, now)
