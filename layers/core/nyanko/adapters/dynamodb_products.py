"""The table `products`."""

from typing import TYPE_CHECKING

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item
from nyanko.catalogue import Product

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Products:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, product_id: str) -> Product | None:
        with aws_errors("DynamoDB"):
            found = self._client.get_item(TableName=self._table, Key=to_item({"product_id": product_id}))
        return Product.from_dict(from_item(found["Item"])) if "Item" in found else None

    def all(self) -> list[Product]:
        """The whole catalogue by product id, on sale or not: a table of tens of rows, read as one."""
        pages = self._client.get_paginator("scan").paginate(TableName=self._table)
        with aws_errors("DynamoDB"):
            rows = [from_item(item) for page in pages for item in page["Items"]]
        return sorted((Product.from_dict(row) for row in rows), key=lambda product: product.product_id)

    def put(self, product: Product) -> None:
        with aws_errors("DynamoDB"):
            self._client.put_item(TableName=self._table, Item=to_item(product.to_dict()))
