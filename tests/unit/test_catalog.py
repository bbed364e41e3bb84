"""What a catalog may say, and what applying it would change."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from nyanko.catalog import MAX_QUANTITY, Product, check_quantity
from nyanko.errors import BadInput
from ops.catalog import MAX_AMOUNT, CatalogError, Change, changes, read_catalog
from tests.data import STARTER_PACK

ENTRY: dict[str, Any] = {
    "product_id": "neko_starter_pack",
    "name": "ねこスターターパック",
    "unit_amount": 500,
    "currency": "jpy",
    "items": {"cat_food": 10, "toy_mouse": 1},
}


def read(*entries: Any) -> list[Product]:
    return read_catalog(yaml.safe_dump(list(entries), allow_unicode=True))


def test_an_entry_is_a_product() -> None:
    assert read(ENTRY) == [STARTER_PACK]


@pytest.mark.parametrize(
    "changed",
    [
        {"product_id": None},
        {"product_id": "Neko"},
        {"product_id": "neko-pack"},
        {"product_id": "n" * 65},
        {"name": ""},
        {"name": 5},
        {"unit_amount": 49},
        {"unit_amount": MAX_AMOUNT + 1},
        {"unit_amount": 500.0},
        {"unit_amount": "500"},
        {"unit_amount": True},
        {"currency": "usd"},
        {"currency": "JPY"},
        {"currency": ["jpy"]},
        {"items": {}},
        {"items": []},
        {"items": {"cat_food": 0}},
        {"items": {"cat_food": -1}},
        {"items": {"cat_food": 1.5}},
        {"items": {"猫缶": 1}},
        {"items": {f"item_{number}": 1 for number in range(50)}},
        {"active": "yes"},
        {"sale_from": "tomorrow"},
        {"sale_from": 2, "sale_until": 2},
        {"limit_per_player": 0},
        {"price": 500},
    ],
)
def test_an_entry_that_breaks_a_rule_is_named(changed: dict[str, Any]) -> None:
    with pytest.raises(CatalogError) as refused:
        read({**ENTRY, **changed})
    assert str(refused.value).count("\n") == 0
    assert next(iter(changed)) in str(refused.value)


@pytest.mark.parametrize("name", sorted(ENTRY))
def test_a_field_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(CatalogError, match=f"{name} is missing"):
        read({field: value for field, value in ENTRY.items() if field != name})


@pytest.mark.parametrize("text", ["", "{", "products: []", "[]", "[1]", "text"])
def test_what_is_not_a_list_of_products_is_refused(text: str) -> None:
    with pytest.raises(CatalogError):
        read_catalog(text)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(CatalogError) as refused:
        read({**ENTRY, "unit_amount": 1, "currency": "eur"}, ENTRY, 7)
    assert len(str(refused.value).splitlines()) == 4


def test_a_catalog_that_is_applied_changes_nothing_more() -> None:
    assert changes([STARTER_PACK], [STARTER_PACK]) == []


def test_new_changed_and_dropped_products_are_told_apart() -> None:
    dearer = replace(STARTER_PACK, unit_amount=600)
    new = replace(STARTER_PACK, product_id="golden_can")
    dropped = replace(STARTER_PACK, product_id="old_toy")
    assert changes([STARTER_PACK, dropped], [dearer, new]) == [
        Change(None, new),
        Change(STARTER_PACK, dearer),
        Change(dropped, replace(dropped, active=False)),
    ]


def test_a_dropped_product_is_taken_off_sale_once() -> None:
    off_sale = replace(STARTER_PACK, active=False)
    assert changes([off_sale], []) == []


@pytest.mark.parametrize(
    ("product", "on_sale"),
    [
        (STARTER_PACK, True),
        (replace(STARTER_PACK, active=False), False),
        (replace(STARTER_PACK, sale_from=100), True),
        (replace(STARTER_PACK, sale_from=101), False),
        (replace(STARTER_PACK, sale_until=101), True),
        (replace(STARTER_PACK, sale_until=100), False),
    ],
)
def test_a_product_is_on_sale_from_its_first_second_to_before_its_last(
    product: Product, *, on_sale: bool
) -> None:
    assert product.on_sale(100) is on_sale


@pytest.mark.parametrize("quantity", [0, MAX_QUANTITY + 1, 1.0, "1", True, None])
def test_a_quantity_is_a_whole_number_of_packs(quantity: object) -> None:
    with pytest.raises(BadInput, match="quantity"):
        check_quantity(quantity)
