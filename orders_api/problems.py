"""The refusals that are the Orders API's own."""

from service_kit.problems import Busy, Problem


class CustomerNotFound(Problem):
    """The order's customer does not exist, or was deleted."""

    status = 404
    code = "CUSTOMER_NOT_FOUND"
    title = "There is no such customer"


class CustomersUnavailable(Busy):
    """The Customers API cannot say whether the customer exists."""

    code = "CUSTOMERS_UNAVAILABLE"
    title = "The Customers API is unavailable; try again"


class ProductNotFound(Problem):
    """Products do not exist; ``errors`` lists each ``{"product_id"}`` of an order."""

    status = 404
    code = "PRODUCT_NOT_FOUND"
    title = "There is no such product"


class OrderNotFound(Problem):
    """No order has this id."""

    status = 404
    code = "ORDER_NOT_FOUND"
    title = "There is no such order"


class SkuTaken(Problem):
    """Another product has this SKU, its case aside."""

    status = 409
    code = "SKU_TAKEN"
    title = "Another product has this SKU"


class InsufficientStock(Problem):
    """Not enough units; ``errors`` lists each ``{"product_id", "requested", "available"}``."""

    status = 409
    code = "INSUFFICIENT_STOCK"
    title = "There is not enough stock"


class OrderNotConfirmable(Problem):
    """The order is confirmed already, by another request, or canceled."""

    status = 409
    code = "ORDER_NOT_CONFIRMABLE"
    title = "The order cannot be confirmed"


class CancelWindowClosed(Problem):
    """The order was confirmed too long ago."""

    status = 409
    code = "CANCEL_WINDOW_CLOSED"
    title = "The time to cancel the order is over"


class TotalTooLarge(Problem):
    """The total is past what every JSON reader keeps exactly (2^53 - 1)."""

    status = 422
    code = "TOTAL_TOO_LARGE"
    title = "The total of the order is too large"


class IdempotencyKeyRequired(Problem):
    """A confirmation must name its key."""

    status = 400
    code = "IDEMPOTENCY_KEY_REQUIRED"
    title = "The header X-Idempotency-Key is required"


class IdempotencyKeyInvalid(Problem):
    """The key is not 1 to 255 printable ASCII characters."""

    status = 400
    code = "IDEMPOTENCY_KEY_INVALID"
    title = "An idempotency key has 1 to 255 printable ASCII characters"


class IdempotencyKeyReused(Problem):
    """The key belongs to another request."""

    status = 422
    code = "IDEMPOTENCY_KEY_REUSED"
    title = "The idempotency key belongs to another request"
