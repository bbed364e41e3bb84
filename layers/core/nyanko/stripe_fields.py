"""Fields of Stripe's objects; each raises `Permanent` (`MalformedEvent`) unless it is what it should be."""

from collections.abc import Mapping
from typing import Any

from nyanko.errors import Permanent


def text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Permanent("MalformedEvent", f"{name} is not a string")
    return value


def integer(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is not int or value < 0:
        raise Permanent("MalformedEvent", f"{name} is not a whole number")
    return value


def optional_integers(fields: Mapping[str, Any], name: str, inner: str) -> list[int]:
    """The whole numbers, of either sign, under `inner` in a list of objects; none if there is no list."""
    numbers: list[int] = []
    entries = fields.get(name) or []
    for entry in entries if isinstance(entries, list) else [entries]:
        number = entry.get(inner) if isinstance(entry, dict) else None
        if type(number) is not int:
            raise Permanent("MalformedEvent", f"{name} has no whole number under {inner}")
        numbers.append(number)
    return numbers


def reference(fields: Mapping[str, Any], name: str) -> str | None:
    """The id in a field that Stripe fills with an id, the expanded object, or null."""
    value = fields.get(name)
    if isinstance(value, dict):
        value = value.get("id")
    if value is not None and not isinstance(value, str):
        raise Permanent("MalformedEvent", f"{name} is neither an id nor null")
    return value
