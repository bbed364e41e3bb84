"""Adapters for a dry run: they read what is stored, and keep in memory what would be written."""

from nyanko.adapters.dynamodb_events import Events
from nyanko.adapters.dynamodb_grants import Grants
from nyanko.adapters.dynamodb_purchases import Purchases
from nyanko.adapters.dynamodb_table import Tables
from nyanko.facts import Facts
from nyanko.grants import Grant
from nyanko.purchases import Purchase, with_facts


class DryRunPurchases(Purchases):
    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self._changed: dict[str, Purchase] = {}

    def get(self, purchase_id: str) -> Purchase | None:
        return self._changed.get(purchase_id) or super().get(purchase_id)

    def record(self, purchase: Purchase, facts: Facts, now: int) -> Purchase:
        return self.keep(with_facts(purchase, facts, now))

    def keep(self, purchase: Purchase) -> Purchase:
        self._changed[purchase.purchase_id] = purchase
        return purchase


class DryRunGrants(Grants):
    """`purchases` learns what a grant changes."""

    def __init__(self, tables: Tables, purchases: DryRunPurchases) -> None:
        super().__init__(tables)
        self._in_memory = purchases

    def apply(self, grant: Grant, event_id: str, execution: str, now: int) -> bool:  # noqa: ARG002
        self._in_memory.keep(grant.after)
        return True


class DryRunEvents(Events):
    def apply(self, event_id: str, purchase_id: str, now: int) -> None:
        """Write nothing: it changes nothing that a dry run shows."""
