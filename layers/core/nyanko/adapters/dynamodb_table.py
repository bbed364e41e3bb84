"""A table of DynamoDB with the few calls that its adapters make: Python's values in and out, pages and
batches put together, failures in our words.

What may pass by itself raises `Retryable`; a condition that does not hold raises `ConditionFailed`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Row = dict[str, Any]

READ_AT_ONCE = 100
"""How many keys BatchGetItem takes, none of them twice."""

WRITTEN_AT_ONCE = 25
"""How many rows BatchWriteItem takes."""


class ConditionFailed(Exception):
    """The row is not as the condition of a write demands; `row` is what stands there, if that was asked
    for."""

    def __init__(self, row: Row) -> None:
        super().__init__("the condition of a write does not hold")
        self.row = row


class Table:
    """Reads are consistent but for those of an index, which DynamoDB knows none of.

    `values` are the ones that an expression names, without the colon; `names` maps a placeholder such as
    `#state` to an attribute whose name DynamoDB reserves.
    """

    def __init__(self, client: "Callable[[], DynamoDBClient]", name: str) -> None:
        self._client = client
        self.name = name

    @property
    def client(self) -> "DynamoDBClient":
        """For transactions, which span tables. Made when it is needed: a cold start pays 20 ms for one."""
        return self._client()

    def get(self, key: Mapping[str, Any], *, consistent: bool = True, **options: Any) -> Row | None:  # noqa: ANN401
        """The row under a key; `options` are further parameters of GetItem."""
        with aws_errors("DynamoDB"):
            found = self.client.get_item(
                TableName=self.name, Key=to_item(key), ConsistentRead=consistent, **options
            )
        return from_item(found["Item"]) if "Item" in found else None

    def get_many(self, keys: Sequence[Mapping[str, Any]], **options: Any) -> list[Row]:  # noqa: ANN401
        """The rows that exist under these keys, in no particular order, each once however often it is
        named."""
        distinct = list({tuple(sorted(key.items())): to_item(key) for key in keys}.values())
        rows: list[Row] = []
        for start in range(0, len(distinct), READ_AT_ONCE):
            left: Any = distinct[start : start + READ_AT_ONCE]
            while left:
                asked: Any = {self.name: {"Keys": left, "ConsistentRead": True, **options}}
                with aws_errors("DynamoDB"):
                    read = self.client.batch_get_item(RequestItems=asked)
                rows += [from_item(item) for item in read["Responses"].get(self.name, [])]
                unread = read["UnprocessedKeys"].get(self.name)
                left = unread["Keys"] if unread else []
        return rows

    def query(self, condition: str, values: Mapping[str, Any], **options: Any) -> list[Row]:  # noqa: ANN401
        """All rows under a key condition, in the order of the sort key."""
        asked: Any = {
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": _named(values),
            **options,
        }
        if "IndexName" not in asked:
            asked["ConsistentRead"] = True
        return list(self._pages("query", asked))

    def scan(self, **options: Any) -> Iterator[Row]:  # noqa: ANN401
        """All rows of the table or of an index."""
        return self._pages("scan", options if "IndexName" in options else {"ConsistentRead": True, **options})

    def put(self, row: Mapping[str, Any], condition: str | None = None) -> None:
        """Write a row, if the condition holds. `ConditionFailed` has the row that stands there."""
        conditional: Any = (
            {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
            if condition
            else {}
        )
        with aws_errors("DynamoDB"), _conditions():
            self.client.put_item(TableName=self.name, Item=to_item(row), **conditional)

    def update(
        self,
        key: Mapping[str, Any],
        expression: str,
        values: Mapping[str, Any],
        *,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Change a row, if the condition holds."""
        optional: Any = {"ConditionExpression": condition, "ExpressionAttributeNames": names}
        with aws_errors("DynamoDB"), _conditions():
            self.client.update_item(
                TableName=self.name,
                Key=to_item(key),
                UpdateExpression=expression,
                ExpressionAttributeValues=_named(values),
                **{name: value for name, value in optional.items() if value},
            )

    def delete(self, key: Mapping[str, Any], condition: str, values: Mapping[str, Any]) -> Row:
        """Delete a row under a condition, and return it."""
        with aws_errors("DynamoDB"), _conditions():
            deleted = self.client.delete_item(
                TableName=self.name,
                Key=to_item(key),
                ConditionExpression=condition,
                ExpressionAttributeValues=_named(values),
                ReturnValues="ALL_OLD",
            )
        return from_item(deleted["Attributes"])

    def delete_many(self, keys: Sequence[Mapping[str, Any]]) -> None:
        """Delete rows, but for those that DynamoDB leaves for now."""
        for start in range(0, len(keys), WRITTEN_AT_ONCE):
            deletes: Any = [
                {"DeleteRequest": {"Key": to_item(key)}} for key in keys[start : start + WRITTEN_AT_ONCE]
            ]
            with aws_errors("DynamoDB"):
                self.client.batch_write_item(RequestItems={self.name: deletes})

    def _pages(self, operation: Any, asked: Mapping[str, Any]) -> Iterator[Row]:  # noqa: ANN401 query or scan
        pages = self.client.get_paginator(operation).paginate(TableName=self.name, **asked)
        with aws_errors("DynamoDB"):
            for page in pages:
                yield from (from_item(item) for item in page["Items"])


Tables = Callable[[str], Table]
"""A table by its noun, for transactions that span several."""


@contextmanager
def _conditions() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        item: Any = error.response.get("Item", {})
        raise ConditionFailed(from_item(item)) from error


def _named(values: Mapping[str, Any]) -> Any:  # noqa: ANN401 attribute values, which each stub names otherwise
    return to_item({f":{name}": value for name, value in values.items()})
