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
          The customer is checked, the stock of every product is taken and the prices are frozen,
          all or nothing. The order is `CREATED` and keeps its stock until it is canceled. Send an
          `X-Idempotency-Key` to be able to repeat the call.
        operationId: createOrder
        tags: [orders]
        x-headers: [X-Idempotency-Key]
        x-body: OrderInput
        x-answers: {"201": Order}
        x-answer-headers: [ETag, Location, Idempotent-Replayed]
        x-links:
          getOrder: {order_id: $response.body#/id}
          confirmOrder: {order_id: $response.body#/id}
          cancelOrder: {order_id: $response.body#/id}
        x-problems:
          - IDEMPOTENCY_KEY_INVALID
          - CUSTOMER_NOT_FOUND
          - PRODUCT_NOT_FOUND
          - INSUFFICIENT_STOCK
          - TOTAL_TOO_LARGE
          - IDEMPOTENCY_KEY_REUSED
          - CUSTOMERS_UNAVAILABLE
        x-facts:
          PRODUCT_NOT_FOUND: [{product_id: 7}]
          INSUFFICIENT_STOCK: [{product_id: 2, requested: 3, available: 1}]
        x-refused: {customer_id: 1, items: [{product_id: 2, qty: 0}]}
        """
        key = self.idempotency_key()
        self.respond(await self.orders.create(self.json_body("OrderInput"), key))

    async def get(self) -> None:
        """List orders.

        ---
        summary: List orders
        description: >-
          Newest first, without their items; of one customer, in one status, or of a span of time
          (`from` is in it, `to` is not), as you choose.
        operationId: listOrders
        tags: [orders]
        x-query: OrdersQuery
        x-answers: {"200": OrderList}
        x-links:
          listOrders: {cursor: $response.body#/next_cursor}
        x-refused: {status: SHIPPED, limit: 500}
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
        summary: Read an order
        description: One order with its items, at the prices at which it was taken.
        operationId: getOrder
        tags: [orders]
        x-answers: {"200": Order}
        x-answer-headers: [ETag]
        x-links:
          confirmOrder: {order_id: $response.body#/id}
          cancelOrder: {order_id: $response.body#/id}
        x-problems: [ORDER_NOT_FOUND]
        """
        order, items = await self.orders.get(self.path_id(order_id))
        self.reply(order.document_with(items), etag=order.etag)


class ConfirmHandler(OrderHandlerBase):
    """The confirmation of an order."""

    async def post(self, order_id: str) -> None:
        """Confirm an order.

        ---
        summary: Confirm an order
        description: >-
          A `CREATED` order becomes `CONFIRMED`, once. The key is required: a repeat under it gets
          the first response again, and under another key it is refused.
        operationId: confirmOrder
        tags: [orders]
        x-headers: [X-Idempotency-Key]
        x-required-headers: [X-Idempotency-Key]
        x-body: NoInput
        x-body-optional: true
        x-answers: {"200": Order}
        x-answer-headers: [ETag, Idempotent-Replayed]
        x-example: {status: CONFIRMED, confirmed_at: "2026-01-05T09:05:00.000Z"}
        x-links:
          getOrder: {order_id: $response.body#/id}
          cancelOrder: {order_id: $response.body#/id}
        x-problems:
          - IDEMPOTENCY_KEY_REQUIRED
          - IDEMPOTENCY_KEY_INVALID
          - ORDER_NOT_FOUND
          - ORDER_NOT_CONFIRMABLE
          - IDEMPOTENCY_KEY_REUSED
        x-refused: {reason: by telephone}
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
        summary: Cancel an order
        description: >-
          The order becomes `CANCELED` and its stock can be sold again. From `CREATED` always, from
          `CONFIRMED` within 10 minutes of the confirmation, unless the installation has another
          limit. An order that is canceled already is answered as it is, and nothing changes.
        operationId: cancelOrder
        tags: [orders]
        x-headers: [X-Idempotency-Key]
        x-body: NoInput
        x-body-optional: true
        x-answers: {"200": Order}
        x-answer-headers: [ETag, Idempotent-Replayed]
        x-example: {status: CANCELED, canceled_at: "2026-01-05T09:08:00.000Z"}
        x-links:
          getOrder: {order_id: $response.body#/id}
        x-problems:
          - IDEMPOTENCY_KEY_INVALID
          - ORDER_NOT_FOUND
          - CANCEL_WINDOW_CLOSED
          - IDEMPOTENCY_KEY_REUSED
        x-refused: {reason: by telephone}
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
