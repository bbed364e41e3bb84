"""Puts the catalog of `catalog.yaml` on sale."""

from pathlib import Path

import yaml

from local import aws
from nyanko.adapters.dynamodb import to_item

CATALOG = Path(__file__).with_name("catalog.yaml")


def seed(aws_url: str, table: str) -> None:
    dynamodb = aws.client("dynamodb", aws_url)
    for product in yaml.safe_load(CATALOG.read_text()):
        dynamodb.put_item(TableName=table, Item=to_item(product))
