"""Making the inventory converge on what the facts say is due."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nyanko.purchases import Purchase, entitled


@dataclass(frozen=True, slots=True)
class Grant:
    """The change that brings the inventory from `before` to `after`; `items` maps item id to a signed count.

    Nothing is due when `items` is empty, however often that is found out.
    """

    before: Purchase
    after: Purchase
    items: Mapping[str, int]


def converge(purchase: Purchase, now: int) -> Grant:
    """The grant that is due now. Applied under the condition that `purchase.version` is unchanged, it is
    applied once: afterwards the same facts give an empty grant.
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
