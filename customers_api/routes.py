"""The table of routes."""

from tornado.routing import URLSpec

from customers_api.handlers import CustomerHandler, CustomersHandler, InternalCustomerHandler
from customers_api.service import CustomerService
from service_kit.application import route


def routes(customers: CustomerService | None = None) -> list[URLSpec]:
    """Return the service's own routes; without the service they are there to be described."""
    return [
        route("/customers", CustomersHandler, customers=customers),
        route("/customers/{customer_id}", CustomerHandler, customers=customers),
        route("/internal/customers/{customer_id}", InternalCustomerHandler, customers=customers),
    ]
