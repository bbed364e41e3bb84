"""The catalog in `catalog.yaml`: its rules, and what it would change in the table `products`."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import yaml

from nyanko.catalog import MAX_QUANTITY, Product

ID = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
CURRENCIES = ("jpy",)
MIN_AMOUNT = 50
"""Stripe's least charge in yen (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""
MAX_AMOUNT = 99_999_999 // MAX_QUANTITY
"""An order of the largest quantity still has the eight digits that Stripe takes."""
MAX_KINDS = 49
"""A grant writes two rows for each kind of item and two more; a transaction of DynamoDB takes 100."""
FIELDS = frozenset(field.name for field in fields(Product))
REQUIRED = FIELDS - {"active", "sale_from", "sale_until", "limit_per_player"}


class CatalogError(Exception):
    """The catalog breaks rules; one line for each."""


@dataclass(frozen=True, slots=True)
class Change:
    """What applying the catalog does to one product; `before` is None for a new one."""

    before: Product | None
    after: Product


def read_catalog(text: str) -> list[Product]:
    """The products of a `catalog.yaml`; raises `CatalogError` naming everything that is wrong with it."""
    try:
        entries = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CatalogError(f"this is not YAML: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise CatalogError("the catalog must be a list of products")
    problems: list[str] = []
    seen: set[Any] = set()
    for number, entry in enumerate(entries, start=1):
        name = entry.get("product_id") if isinstance(entry, Mapping) else None
        where = f"product {number} ({name or 'without product_id'})"
        problems += [f"{where}: {problem}" for problem in _problems(entry)]
        if isinstance(name, str) and name in seen:
            problems.append(f"{where}: its product_id stands twice in the catalog")
        seen.add(name)
    if problems:
        raise CatalogError("\n".join(problems))
    return [Product(**entry) for entry in entries]


def changes(stored: Iterable[Product], catalog: Iterable[Product]) -> list[Change]:
    """What must be written so that the table says what the catalog says, by product id.

    A product that the catalog no longer lists is taken off sale, not deleted: purchases refer to it.
    """
    before = {product.product_id: product for product in stored}
    after = {product.product_id: product for product in catalog}
    for product_id in before.keys() - after.keys():
        after[product_id] = replace(before[product_id], active=False)
    return [
        Change(before.get(product_id), product)
        for product_id, product in sorted(after.items())
        if before.get(product_id) != product
    ]


def _problems(entry: Any) -> Iterable[str]:  # noqa: ANN401 whatever YAML holds
    if not isinstance(entry, Mapping):
        yield "is not a mapping"
        return
    for name in sorted(REQUIRED - set(entry)):
        yield f"{name} is missing"
    for name in sorted(set(map(str, entry)) - FIELDS):
        yield f"{name} is not a field of a product"
    for name, rule in RULES.items():
        if name in entry and not rule.holds(entry[name]):
            yield f"{name} must be {rule.text}, not {entry[name]!r}"
    start, end = entry.get("sale_from"), entry.get("sale_until")
    if isinstance(start, int) and isinstance(end, int) and start >= end:
        yield "sale_from must be before sale_until"


@dataclass(frozen=True, slots=True)
class _Rule:
    text: str
    holds: Callable[[object], bool]


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_id(value: object) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def _is_amount(value: object) -> bool:
    return _is_whole(value, MIN_AMOUNT, MAX_AMOUNT)


def _is_items(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and 1 <= len(value) <= MAX_KINDS
        and all(_is_id(item_id) for item_id in value)
        and all(_is_count(count) for count in value.values())
    )


def _is_count(value: object) -> bool:
    return _is_whole(value, 1, 1_000_000)


def _is_time(value: object) -> bool:
    return value is None or _is_whole(value, 0, 1 << 40)


RULES: Mapping[str, _Rule] = {
    "product_id": _Rule("1 to 64 of a-z, 0-9 and _", _is_id),
    "name": _Rule(
        "a text of 1 to 200 characters", lambda value: isinstance(value, str) and 1 <= len(value) <= 200
    ),
    "unit_amount": _Rule(f"an integer from {MIN_AMOUNT} to {MAX_AMOUNT}", _is_amount),
    "currency": _Rule(f"one of {', '.join(CURRENCIES)}", lambda value: value in CURRENCIES),
    "items": _Rule(f"1 to {MAX_KINDS} well-formed item ids with whole counts from 1", _is_items),
    "active": _Rule("true or false", lambda value: isinstance(value, bool)),
    "sale_from": _Rule("epoch seconds", _is_time),
    "sale_until": _Rule("epoch seconds", _is_time),
    "limit_per_player": _Rule("a whole number from 1", lambda value: value is None or _is_count(value)),
}
