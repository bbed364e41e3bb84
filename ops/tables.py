"""What only operators read: whole tables, and rows of anybody's."""

from collections.abc import Iterator
from typing import Any

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item
from nyanko.purchases import Purchase
from ops.stages import Stage

Row = dict[str, Any]


def rows(stage: Stage, noun: str) -> Iterator[Row]:
    """All rows of a table."""
    pages = stage.dynamodb.get_paginator("scan").paginate(TableName=stage.table(noun), ConsistentRead=True)
    with aws_errors("DynamoDB"):
        for page in pages:
            yield from (from_item(item) for item in page["Items"])


def rows_of(stage: Stage, noun: str, key: str, value: str) -> list[Row]:
    """The rows under one hash key."""
    pages = stage.dynamodb.get_paginator("query").paginate(
        TableName=stage.table(noun),
        KeyConditionExpression="#key = :value",
        ExpressionAttributeNames={"#key": key},
        ExpressionAttributeValues=to_item({":value": value}),
        ConsistentRead=True,
    )
    with aws_errors("DynamoDB"):
        return [from_item(item) for page in pages for item in page["Items"]]


def purchases(stage: Stage) -> Iterator[Purchase]:
    return (Purchase.from_dict(row) for row in rows(stage, "purchases"))


def ledger(stage: Stage, player_id: str | None = None) -> list[Row]:
    return rows_of(stage, "ledger", "player_id", player_id) if player_id else list(rows(stage, "ledger"))


def inventory(stage: Stage, player_id: str | None = None) -> list[Row]:
    found = rows_of(stage, "inventory", "player_id", player_id) if player_id else rows(stage, "inventory")
    return list(found)


def parked_ids(stage: Stage) -> list[str]:
    """The events that are parked, by the sparse index that holds no others."""
    pages = stage.dynamodb.get_paginator("scan").paginate(TableName=stage.table("events"), IndexName="parked")
    with aws_errors("DynamoDB"):
        return [from_item(item)["event_id"] for page in pages for item in page["Items"]]


def replays_of(stage: Stage, event_id: str) -> list[Row]:
    """Who had an event run again, when and why, the first one first."""
    found = rows_of(stage, "replays", "event_id", event_id)
    return sorted(found, key=lambda row: row["at"])
