"""The use cases of products; each write is one transaction."""

from collections.abc import Mapping
from typing import Any

from orders_api.problems import ProductNotFound, SkuTaken
from orders_api.products import repository
from orders_api.products.rules import Product, changed_stock
from service_kit.database import Database
from service_kit.database_connections import Connection
from service_kit.database_errors import Duplicate
from service_kit.versions import Precondition


class ProductService:
    """What operators do with products."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, sku: str, name: str, price_cents: int, stock: int) -> Product:
        """Add a product.

        Raises:
            SkuTaken: another one has the SKU.
        """

        async def work(connection: Connection) -> Product:
            product_id = await repository.insert(connection, sku, name, price_cents, stock)
            return _found(await repository.get(connection, product_id))

        try:
            return await self._database.transaction(work)
        except Duplicate as error:
            if error.key != repository.SKU_KEY:
                raise
            raise SkuTaken from error

    async def get(self, product_id: int) -> Product:
        """Return a product.

        Raises:
            ProductNotFound: there is none.
        """
        return _found(
            await self._database.read(lambda connection: repository.get(connection, product_id))
        )

    async def page(self, search: str | None, before_id: int, rows: int) -> list[Product]:
        """Return products newest first, from below an id on."""
        return await self._database.read(
            lambda connection: repository.page(connection, search, before_id, rows)
        )

    async def change(
        self, product_id: int, change: Mapping[str, Any], precondition: Precondition
    ) -> Product:
        """Change name, price or stock; ``stock_delta`` adds to what the stock is by then.

        Raises:
            ProductNotFound, PreconditionFailed, InsufficientStock, ValidationFailed: it cannot be.
        """

        async def work(connection: Connection) -> Product:
            product = _found(await repository.lock(connection, product_id))
            precondition.check(product.etag)
            columns = {name: change[name] for name in ("name", "price_cents") if name in change}
            columns["stock"] = changed_stock(product, change)
            await repository.update(connection, product_id, columns)
            if "name" in change:
                await repository.update_words(connection, product_id, product.sku, change["name"])
            return _found(await repository.get(connection, product_id))

        return await self._database.transaction(work)


def _found(product: Product | None) -> Product:
    if product is None:
        raise ProductNotFound
    return product
