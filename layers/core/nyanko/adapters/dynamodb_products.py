"""The table `products`."""

from typing import cast

from nyanko.adapters.dynamodb_table import Row, Table
from nyanko.catalog import Product, ProductJson


class Products:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, product_id: str) -> Product | None:
        row = self._table.get({"product_id": product_id}, consistent=False)
        return _product(row) if row else None

    def all(self) -> list[Product]:
        """The whole catalog by product id, on sale or not: a table of tens of rows, read as one."""
        products = (_product(row) for row in self._table.scan(ConsistentRead=False))
        return sorted(products, key=lambda product: product.product_id)

    def put(self, product: Product) -> None:
        self._table.put(product.to_dict())


def _product(row: Row) -> Product:
    return Product.from_dict(cast("ProductJson", row))
