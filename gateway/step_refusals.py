"""The refusals of the orchestrator's steps, as the document shows them; none is raised here.

They come through from the services, which define them: a test holds these to be the same.
"""

from service_kit.problems import Busy, Problem


class CustomerNotFound(Problem):
    """The customer does not exist, or was deleted."""

    status = 404
    code = "CUSTOMER_NOT_FOUND"
    title = "There is no such customer"


class ProductNotFound(Problem):
    """Products do not exist."""

    status = 404
    code = "PRODUCT_NOT_FOUND"
    title = "There is no such product"


class InsufficientStock(Problem):
    """Not enough units."""

    status = 409
    code = "INSUFFICIENT_STOCK"
    title = "There is not enough stock"


class OrderNotConfirmable(Problem):
    """The order was confirmed or canceled by somebody else."""

    status = 409
    code = "ORDER_NOT_CONFIRMABLE"
    title = "The order cannot be confirmed"


class TotalTooLarge(Problem):
    """The total is past what every JSON reader keeps exactly."""

    status = 422
    code = "TOTAL_TOO_LARGE"
    title = "The total of the order is too large"


class IdempotencyKeyReused(Problem):
    """The key belongs to another order."""

    status = 422
    code = "IDEMPOTENCY_KEY_REUSED"
    title = "The idempotency key belongs to another request"


class CustomersUnavailable(Busy):
    """The Orders API could not ask for the customer."""

    code = "CUSTOMERS_UNAVAILABLE"
    title = "The Customers API is unavailable; try again"
