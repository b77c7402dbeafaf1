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
        description: >-
          A product has a SKU that no other has, its case aside, a price in cents and a stock of
          units that can be sold.
        operationId: createProduct
        tags: [products]
        x-body: ProductInput
        x-answers: {"201": Product}
        x-answer-headers: [ETag, Location]
        x-example:
          id: 11
          sku: BOLT-M8
          name: Bolt M8, 100 pieces
          price_cents: 1250
          stock: 500
          created_at: "2026-01-12T09:00:00.000Z"
          updated_at: "2026-01-12T09:00:00.000Z"
        x-links:
          getProduct: {product_id: $response.body#/id}
          changeProduct:
            product_id: $response.body#/id
            header.If-Match: $response.header.ETag
        x-problems: [SKU_TAKEN]
        x-refused: {sku: BOLT M8, name: "Bolt M8, 100 pieces", price_cents: 12.5, stock: 500}
        """
        product = await self.products.create(**self.json_body("ProductInput"))
        self.created(f"/products/{product.id}", product.document(), etag=product.etag)

    async def get(self) -> None:
        """List products.

        ---
        summary: List or search products
        description: >-
          Newest first. With `search`, those in whose SKU or name every word given begins a word;
          the case and the accents of letters do not matter.
        operationId: listProducts
        tags: [products]
        x-query: ProductsQuery
        x-answers: {"200": ProductList}
        x-links:
          listProducts: {cursor: $response.body#/next_cursor}
        x-refused: {limit: 500}
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
        description: One product with the stock that it has now; the `ETag` changes with the stock.
        operationId: getProduct
        tags: [products]
        x-answers: {"200": Product}
        x-answer-headers: [ETag]
        x-links:
          changeProduct:
            product_id: $response.body#/id
            header.If-Match: $response.header.ETag
        x-problems: [PRODUCT_NOT_FOUND]
        """
        product = await self.products.get(self.path_id(product_id))
        self.reply(product.document(), etag=product.etag)

    async def patch(self, product_id: str) -> None:
        """Change a product.

        ---
        summary: Change a product
        description: >-
          What is left out stays. `stock` sets the stock; `stock_delta` adds to it or takes from
          it, whatever else happens at the same moment, and never below zero. A new price holds for
          new orders: those that were taken keep theirs.
        operationId: changeProduct
        tags: [products]
        x-headers: [If-Match]
        x-body: ProductChange
        x-body-examples:
          five units left the shelf: {stock_delta: -5}
          another price: {price_cents: 119900}
          the shelf was counted: {stock: 480}
        x-answers: {"200": Product}
        x-answer-headers: [ETag]
        x-example: {stock: 100025, updated_at: "2026-01-12T09:00:00.000Z"}
        x-links:
          getProduct: {product_id: $response.body#/id}
        x-problems: [PRODUCT_NOT_FOUND, INSUFFICIENT_STOCK, PRECONDITION_FAILED]
        x-facts:
          INSUFFICIENT_STOCK: [{product_id: 2, requested: 5, available: 3}]
        x-refused: {stock: 480, stock_delta: -5}
        """
        number = self.path_id(product_id)
        change = self.json_body("ProductChange")
        product = await self.products.change(number, change, self.precondition())
        self.reply(product.document(), etag=product.etag)


def _cursor(product: Product) -> str:
    return paging.id_cursor(_LIST, product.id)
