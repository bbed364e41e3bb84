"""Python's values as DynamoDB's attribute values, and back.

boto3 has the same in `boto3.dynamodb.types`, with numbers of any kind, but whoever imports that imports all
of boto3, with S3's transfers. The attribute values:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


def to_item(fields: Mapping[str, Any]) -> "dict[str, AttributeValueTypeDef]":
    """An item of these attributes; those that are None are left out, as sparse indexes need it.

    Raises `TypeError` for what is not made of texts, integers, truth values, None, lists and mappings.
    """
    return {name: _attribute(value) for name, value in fields.items() if value is not None}


def from_item(item: "Mapping[str, AttributeValueTypeDef]") -> dict[str, Any]:
    """The attributes of an item as `to_item` writes them."""
    return {name: _value(attribute) for name, attribute in item.items()}


def _attribute(value: object) -> "AttributeValueTypeDef":
    match value:
        case str():
            return {"S": value}
        case bool():  # an int too
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case Mapping():
            return {"M": {name: _attribute(held) for name, held in value.items()}}
        case list() | tuple():
            return {"L": [_attribute(held) for held in value]}
    raise TypeError(f"DynamoDB is given no {type(value).__name__} here")


def _value(attribute: "AttributeValueTypeDef") -> Any:  # noqa: ANN401 whatever was written
    match attribute:
        case {"S": value} | {"BOOL": value}:
            return value
        case {"N": number}:
            return int(number)
        case {"NULL": True}:
            return None
        case {"M": fields}:
            return from_item(fields)
        case {"L": values}:
            return [_value(held) for held in values]
    raise TypeError(f"an attribute of the type {[*attribute]} is not ours")
