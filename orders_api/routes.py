"""The table of routes."""

from tornado.routing import URLSpec

from orders_api.orders.handlers import CancelHandler, ConfirmHandler, OrderHandler, OrdersHandler
from orders_api.orders.service import OrderService
from orders_api.products.handlers import ProductHandler, ProductsHandler
from orders_api.products.service import ProductService
from service_kit.application import route


def routes(
    products: ProductService | None = None, orders: OrderService | None = None
) -> list[URLSpec]:
    """Return the service's own routes; without the services they are there to be described."""
    return [
        route("/products", ProductsHandler, products=products),
        route("/products/{product_id}", ProductHandler, products=products),
        route("/orders", OrdersHandler, orders=orders),
        route("/orders/{order_id}", OrderHandler, orders=orders),
        route("/orders/{order_id}/confirm", ConfirmHandler, orders=orders),
        route("/orders/{order_id}/cancel", CancelHandler, orders=orders),
    ]
