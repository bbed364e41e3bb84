"""What is for sale."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import NotRequired, Self, TypedDict, cast

from nyanko.errors import BadInput

MAX_QUANTITY = 99


class ProductJson(TypedDict):
    """`Product` as its row, and as the snapshot that a purchase keeps of it."""

    product_id: str
    name: str
    unit_amount: int
    currency: str
    items: Mapping[str, int]
    active: bool
    sale_from: NotRequired[int]
    sale_until: NotRequired[int]
    limit_per_player: NotRequired[int]


@dataclass(frozen=True, slots=True)
class Product:
    """A pack of items at a fixed price.

    `unit_amount` is an integer in the currency's minor unit; JPY has none, so 500 is 500 yen. `items` maps
    item id to the count that one pack holds. `sale_from` (inclusive) and `sale_until` (exclusive) are epoch
    seconds UTC; None leaves that side open. `limit_per_player` caps the packs one player may ever buy.
    """

    product_id: str
    name: str
    unit_amount: int
    currency: str
    items: Mapping[str, int]
    active: bool = True
    sale_from: int | None = None
    sale_until: int | None = None
    limit_per_player: int | None = None

    def on_sale(self, now: int) -> bool:
        started = self.sale_from is None or self.sale_from <= now
        ended = self.sale_until is not None and self.sale_until <= now
        return self.active and started and not ended

    def to_dict(self) -> ProductJson:
        known = {name: value for name, value in asdict(self).items() if value is not None}
        return cast("ProductJson", known)

    @classmethod
    def from_dict(cls, raw: ProductJson) -> Self:
        return cls(
            product_id=raw["product_id"],
            name=raw["name"],
            unit_amount=raw["unit_amount"],
            currency=raw["currency"],
            items=raw["items"],
            active=raw["active"],
            sale_from=raw.get("sale_from"),
            sale_until=raw.get("sale_until"),
            limit_per_player=raw.get("limit_per_player"),
        )


def check_quantity(quantity: object) -> int:
    """Return the number of packs to buy, from 1 to `MAX_QUANTITY`.

    Raises `BadInput` for anything else; a boolean, a string or a fraction is not a quantity.
    """
    if type(quantity) is not int or not 1 <= quantity <= MAX_QUANTITY:
        raise BadInput("InvalidRequest", f"quantity must be an integer from 1 to {MAX_QUANTITY}")
    return quantity
