"""Making the inventory converge on what the facts say is due."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nyanko.purchases import Purchase, entitled


@dataclass(frozen=True, slots=True)
class Grant:
    """The change from `before` to `after`; `items` maps item id to a signed count for the inventory."""

    before: Purchase
    after: Purchase
    items: Mapping[str, int]

    @property
    def nothing_due(self) -> bool:
        return self.before.granted == self.after.granted


def converge(purchase: Purchase, now: int) -> Grant:
    """The grant that is due now. Applied under the condition that `purchase.version` is unchanged, it is
    applied once: afterwards nothing is due for the same facts.
    """
    due = entitled(purchase)
    packs = due - purchase.granted
    if packs == 0:
        return Grant(before=purchase, after=purchase, items={})
    return Grant(
        before=purchase,
        after=replace(purchase, granted=due, version=purchase.version + 1, updated_at=now),
        items={item_id: count * packs for item_id, count in purchase.product.items.items()},
    )
