"""The nouns are values: what is known of a purchase changes by a new one, never in place."""

from dataclasses import FrozenInstanceError, fields, is_dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

import nyanko

VALUES = [
    value
    for found in iter_modules(nyanko.__path__)
    if not found.ispkg
    for module in [import_module(f"nyanko.{found.name}")]
    for value in vars(module).values()
    if is_dataclass(value) and isinstance(value, type) and value.__module__ == module.__name__
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_cannot_be_changed_nor_carry_anything_beside_its_fields(value: type[Any]) -> None:
    one = object.__new__(value)
    with pytest.raises(FrozenInstanceError):
        setattr(one, fields(value)[0].name, "another")
    assert not hasattr(one, "__dict__")
