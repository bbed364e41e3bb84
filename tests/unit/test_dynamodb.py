"""Attribute values, with boto3's own types as the oracle."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from nyanko.adapters.dynamodb import from_item, to_item

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**38) + 1, 10**38 - 1) | st.text(),
    lambda held: st.lists(held) | st.dictionaries(st.text(), held),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES))
def test_values_are_written_and_read_as_boto3_does_it(fields: dict[str, Any]) -> None:
    known = {name: value for name, value in fields.items() if value is not None}
    item = to_item(fields)
    assert item == {name: TypeSerializer().serialize(value) for name, value in known.items()}
    assert {name: TypeDeserializer().deserialize(value) for name, value in item.items()} == known
    assert from_item(item) == known


def test_truth_values_stay_apart_from_numbers() -> None:
    assert from_item(to_item({"yes": True, "one": 1})) == {"yes": True, "one": 1}
    assert to_item({"yes": True, "one": 1}) == {"yes": {"BOOL": True}, "one": {"N": "1"}}
    assert type(from_item({"one": {"N": "1"}})["one"]) is int


@pytest.mark.parametrize("value", [1.5, Decimal(1), b"bytes", {1, 2}])
def test_what_no_row_of_ours_holds_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        to_item({"field": value})


@pytest.mark.parametrize("attribute", [{"B": b"bytes"}, {"SS": ["a"]}])
def test_what_no_row_of_ours_holds_is_not_read(attribute: Any) -> None:
    with pytest.raises(TypeError):
        from_item({"field": attribute})
