"""Names of what is in a world, for people and for choices.

They tell whose something is and not when it came, so that they stay the same when other steps are left out:
only then can a walk be shortened.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from local.stripe.store import Account, StripeObject


class Names:
    """`orders` are the names of purchases by their ids."""

    def __init__(self, account: Account, orders: Mapping[str, Any]) -> None:
        self._account = account
        self._orders = orders
        self._known: dict[str, str] = {}
        self._counted: Counter[str] = Counter()

    def event(self, event_id: str) -> str:
        """An event, or an execution of one."""
        event_id, _, replay = event_id.partition("-r")
        name = self._known.get(event_id) or event_id
        return f"{name}, replay {replay}" if replay else name

    def learn(self, event: StripeObject) -> None:
        """Name an event of Stripe's, as it happens."""
        self._name(event["id"], f"{event['type']} of {self.object(event['data']['object'])}")

    def object(self, thing: StripeObject) -> str:
        """One of Stripe's objects."""
        return self._name(thing["id"], f"{thing['object']} of {self._whose(thing)}")

    def _name(self, key: str, name: str) -> str:
        if key not in self._known:
            self._counted[name] += 1
            count = self._counted[name]
            self._known[key] = f"{name} ({count})" if count > 1 else name
        return self._known[key]

    def _whose(self, thing: StripeObject) -> str:
        sessions = self._account.objects["checkout.session"].values()
        payment = thing["id"] if thing["object"] == "payment_intent" else thing.get("payment_intent")
        of = thing if thing["object"] == "checkout.session" else None
        session = of or next((one for one in sessions if one["payment_intent"] == payment), None)
        purchase_id: str = session["metadata"].get("purchase_id", "") if session else ""
        return self._orders[purchase_id].name if purchase_id in self._orders else "another shop"
