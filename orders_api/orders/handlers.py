"""HTTP in, HTTP out. The operation documents stand in the docstrings, for OpenAPI."""

import re
from datetime import datetime
from typing import Any

from orders_api.idempotency import Response
from orders_api.orders.rules import Order, OrderFilter
from orders_api.orders.service import OrderService
from orders_api.problems import IdempotencyKeyInvalid, IdempotencyKeyRequired
from service_kit import paging
from service_kit.clock import parse_moment
from service_kit.handlers import Access, JsonHandler
from service_kit.problems import ValidationFailed

_LIST = "orders"
_KEY_HEADER = "X-Idempotency-Key"
_KEY = re.compile(r"[ -~]{1,255}")


class OrderHandlerBase(JsonHandler):
    """What all handlers of orders share."""

    access = Access.OPERATORS_AND_SERVICES
    orders: OrderService

    def idempotency_key(self) -> bytes | None:
        """Return the request's key, if it has one.

        Raises:
            IdempotencyKeyInvalid: it has several, or one that is none.
        """
        values = self.request.headers.get_list(_KEY_HEADER)
        if not values:
            return None
        if len(values) > 1 or not _KEY.fullmatch(values[0]):
            raise IdempotencyKeyInvalid
        return values[0].encode("ascii")

    def respond(self, response: Response) -> None:
        """Send a response, whether it is the first or a replay."""
        if response.location is not None:
            self.set_header("Location", response.location)
        if response.is_replay:
            self.set_header("Idempotent-Replayed", "true")
        self.reply_bytes(response.body, status=response.status, etag=response.etag)


class OrdersHandler(OrderHandlerBase):
    """All orders."""

    async def post(self) -> None:
        """Take an order.

        ---
        summary: Take an order
        description: >-
          The customer is checked, the stock is taken and the prices are frozen, all or nothing.
        operationId: createOrder
        tags: [orders]
        x-headers: [X-Idempotency-Key]
        x-body: OrderInput
        x-answers: {"201": Order}
        x-answer-headers: [ETag, Location, Idempotent-Replayed]
        x-problems:
          "400": [IDEMPOTENCY_KEY_INVALID]
          "404": [CUSTOMER_NOT_FOUND, PRODUCT_NOT_FOUND]
          "409": [INSUFFICIENT_STOCK]
          "422": [TOTAL_TOO_LARGE, IDEMPOTENCY_KEY_REUSED]
          "503": [CUSTOMERS_UNAVAILABLE]
        """
        key = self.idempotency_key()
        self.respond(await self.orders.create(self.json_body("OrderInput"), key))

    async def get(self) -> None:
        """List orders.

        ---
        summary: List orders, newest first
        operationId: listOrders
        tags: [orders]
        x-query: OrdersQuery
        x-answers: {"200": OrderList}
        """
        query = self.query("OrdersQuery")
        chosen = _filter(query)
        limit = query.get("limit", paging.DEFAULT_LIMIT)
        before = paging.read_time_cursor(_LIST, query.get("cursor"))
        rows = await self.orders.page(chosen, before, limit + 1)
        self.reply(paging.page(rows, limit, Order.document, _cursor))


class OrderHandler(OrderHandlerBase):
    """One order."""

    async def get(self, order_id: str) -> None:
        """Return an order.

        ---
        summary: Read an order with its items
        operationId: getOrder
        tags: [orders]
        x-answers: {"200": Order}
        x-answer-headers: [ETag]
        x-problems: {"404": [ORDER_NOT_FOUND]}
        """
        order, items = await self.orders.get(self.path_id(order_id))
        self.reply(order.document_with(items), etag=order.etag)


class ConfirmHandler(OrderHandlerBase):
    """The confirmation of an order."""

    async def post(self, order_id: str) -> None:
        """Confirm an order.

        ---
        summary: Confirm an order, once
        operationId: confirmOrder
        tags: [orders]
        x-headers: [X-Idempotency-Key]
        x-required-headers: [X-Idempotency-Key]
        x-body: NoInput
        x-body-optional: true
        x-answers: {"200": Order}
        x-answer-headers: [ETag, Idempotent-Replayed]
        x-problems:
          "400": [IDEMPOTENCY_KEY_REQUIRED, IDEMPOTENCY_KEY_INVALID]
          "404": [ORDER_NOT_FOUND]
          "409": [ORDER_NOT_CONFIRMABLE]
          "422": [IDEMPOTENCY_KEY_REUSED]
        """
        number = self.path_id(order_id)
        key = self.idempotency_key()
        if key is None:
            raise IdempotencyKeyRequired
        self.json_body_or_empty("NoInput")
        self.respond(await self.orders.confirm(number, key))


class CancelHandler(OrderHandlerBase):
    """The cancellation of an order."""

    async def post(self, order_id: str) -> None:
        """Cancel an order.

        ---
        summary: Cancel an order and give its stock back
        description: >-
          From CREATED always, from CONFIRMED within 10 minutes of the confirmation. A canceled
          order is answered as it is.
        operationId: cancelOrder
        tags: [orders]
        x-headers: [X-Idempotency-Key]
        x-body: NoInput
        x-body-optional: true
        x-answers: {"200": Order}
        x-answer-headers: [ETag, Idempotent-Replayed]
        x-problems:
          "400": [IDEMPOTENCY_KEY_INVALID]
          "404": [ORDER_NOT_FOUND]
          "409": [CANCEL_WINDOW_CLOSED]
          "422": [IDEMPOTENCY_KEY_REUSED]
        """
        number = self.path_id(order_id)
        key = self.idempotency_key()
        self.json_body_or_empty("NoInput")
        self.respond(await self.orders.cancel(number, key))


def _filter(query: dict[str, Any]) -> OrderFilter:
    errors: list[dict[str, str]] = []
    start, end = _moment(query, "from", errors), _moment(query, "to", errors)
    if start is not None and end is not None and start > end:
        errors.append({"pointer": "/from", "detail": "is after to"})
    if errors:
        raise ValidationFailed(errors=errors)
    return OrderFilter(query.get("customer_id"), query.get("status"), start, end)


def _moment(query: dict[str, Any], name: str, errors: list[dict[str, str]]) -> datetime | None:
    if name not in query:
        return None
    try:
        return parse_moment(query[name])
    except ValueError:
        detail = "must be a date or an RFC 3339 date-time with its offset (a + written as %2B)"
        errors.append({"pointer": f"/{name}", "detail": detail})
        return None


def _cursor(order: Order) -> str:
    return paging.time_cursor(_LIST, order.created_at, order.id)
