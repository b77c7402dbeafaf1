"""HTTP in, HTTP out. The operation documents stand in the docstrings, for OpenAPI."""

from orders_api.products.rules import Product
from orders_api.products.service import ProductService
from service_kit import paging
from service_kit.handlers import Access, JsonHandler

_LIST = "products"


class ProductsHandler(JsonHandler):
    """All products."""

    access = Access.OPERATORS_AND_SERVICES
    products: ProductService

    async def post(self) -> None:
        """Create a product.

        ---
        summary: Create a product
        operationId: createProduct
        tags: [products]
        x-body: ProductInput
        x-answers: {"201": Product}
        x-answer-headers: [ETag, Location]
        x-problems: {"409": [SKU_TAKEN]}
        """
        product = await self.products.create(**self.json_body("ProductInput"))
        self.created(f"/products/{product.id}", product.document(), etag=product.etag)

    async def get(self) -> None:
        """List products.

        ---
        summary: List products, newest first, or search them
        operationId: listProducts
        tags: [products]
        x-query: ProductsQuery
        x-answers: {"200": ProductList}
        """
        query = self.query("ProductsQuery")
        limit = query.get("limit", paging.DEFAULT_LIMIT)
        before_id = paging.read_id_cursor(_LIST, query.get("cursor"))
        rows = await self.products.page(query.get("search") or None, before_id, limit + 1)
        self.reply(paging.page(rows, limit, Product.document, _cursor))


class ProductHandler(JsonHandler):
    """One product."""

    access = Access.OPERATORS_AND_SERVICES
    products: ProductService

    async def get(self, product_id: str) -> None:
        """Return a product.

        ---
        summary: Read a product
        operationId: getProduct
        tags: [products]
        x-answers: {"200": Product}
        x-answer-headers: [ETag]
        x-problems: {"404": [PRODUCT_NOT_FOUND]}
        """
        product = await self.products.get(self.path_id(product_id))
        self.reply(product.document(), etag=product.etag)

    async def patch(self, product_id: str) -> None:
        """Change a product.

        ---
        summary: Change the name, the price or the stock of a product
        operationId: changeProduct
        tags: [products]
        x-headers: [If-Match]
        x-body: ProductChange
        x-answers: {"200": Product}
        x-answer-headers: [ETag]
        x-problems:
          "404": [PRODUCT_NOT_FOUND]
          "409": [INSUFFICIENT_STOCK]
          "412": [PRECONDITION_FAILED]
        """
        number = self.path_id(product_id)
        change = self.json_body("ProductChange")
        product = await self.products.change(number, change, self.if_match())
        self.reply(product.document(), etag=product.etag)


def _cursor(product: Product) -> str:
    return paging.id_cursor(_LIST, product.id)
