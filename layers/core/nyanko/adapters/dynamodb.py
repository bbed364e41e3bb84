"""Python's values as DynamoDB's attribute values, and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer  # noqa: TID251 the types alone; no client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class _IntegerDeserializer(TypeDeserializer):
    """All our numbers are integers; boto3 would make them Decimal."""

    def _deserialize_n(self, value: str) -> int:
        return int(value)


_serializer = TypeSerializer()
_deserializer = _IntegerDeserializer()


def to_item(fields: Mapping[str, Any]) -> "dict[str, AttributeValueTypeDef]":
    """An item of these attributes; those that are None are left out, as sparse indexes need it."""
    return {name: _serializer.serialize(value) for name, value in fields.items() if value is not None}


def from_item(item: "Mapping[str, AttributeValueTypeDef]") -> dict[str, Any]:
    return {name: _deserializer.deserialize(value) for name, value in item.items()}
