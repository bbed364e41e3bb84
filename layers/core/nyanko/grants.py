"""Making the inventory converge on what the facts say is due."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nyanko.notices import NoticeContent, notice_content
from nyanko.purchases import Purchase, entitled


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger; a purchase has one for each of its versions and items."""

    line_id: str
    item_id: str
    delta: int
    reason: str


@dataclass(frozen=True, slots=True)
class Grant:
    """The change from `before` to `after`; `items` maps item id to a signed count for the inventory."""

    before: Purchase
    after: Purchase
    items: Mapping[str, int]

    @property
    def nothing_due(self) -> bool:
        return self.packs == 0

    @property
    def packs(self) -> int:
        """How many packs are granted; negative if they are taken back."""
        return self.after.granted - self.before.granted

    @property
    def yen(self) -> int:
        """What these packs cost, whichever way they go."""
        return abs(self.packs) * self.after.product.unit_amount

    @property
    def lines(self) -> list[Line]:
        purchase = self.after
        return [
            Line(
                line_id=f"{purchase.purchase_id}#{purchase.version}#{item_id}",
                item_id=item_id,
                delta=count,
                reason="purchase" if count > 0 else "reversal",
            )
            for item_id, count in self.items.items()
        ]

    @property
    def notice(self) -> NoticeContent:
        """What the player is told of it."""
        return notice_content(self.after, self.items)


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
