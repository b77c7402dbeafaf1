"""The use cases of orders: create, confirm, cancel; each is one transaction.

A request never holds a connection while it waits for another one, or for the Customers API.
"""

import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from orders_api.customers_client import CustomersClient
from orders_api.idempotency import Attempt, IdempotencyKeys, Request, Response
from orders_api.orders import repository
from orders_api.orders.rules import (
    Item,
    Order,
    OrderFilter,
    OrderStatus,
    Quantities,
    add_up,
    check_cancelable,
    check_confirmable,
    price,
)
from orders_api.problems import CustomerNotFound, OrderNotFound
from service_kit import jsons
from service_kit.database import Database
from service_kit.database_connections import Connection
from service_kit.database_errors import MissingReference
from service_kit.problems import Busy

Step = Callable[[Connection, Attempt], Awaitable[Response]]

# The rows are read without holding them, and held from the beginning after being outrun twice:
# whoever reads first would else be outrun for ever by prices that change all the time.
HOLDS_ROWS = (False, False, True)


class _OutrunError(Exception):
    """A price or a stock changed between reading it and taking the units."""


@dataclass(frozen=True, slots=True)
class OrderService:
    """What operators do with orders."""

    database: Database
    customers: CustomersClient
    keys: IdempotencyKeys
    cancel_window: timedelta

    async def create(self, value: Mapping[str, Any], key: bytes | None) -> Response:
        """Take an order: its stock is taken and its prices are frozen in one transaction.

        Raises:
            CustomerNotFound, CustomersUnavailable, ProductNotFound, InsufficientStock,
            TotalTooLarge, IdempotencyKeyReused: it is refused, and nothing of it stays.
        """
        customer_id: int = value["customer_id"]
        quantities = add_up(value["items"])

        async def act(attempt: Attempt) -> Response:
            await self.customers.check_exists(customer_id)
            return await self._take(customer_id, quantities, attempt)

        return await self.keys.once(Request(key, "order.create", None, value), act)

    async def confirm(self, order_id: int, key: bytes) -> Response:
        """Confirm a CREATED order.

        Raises:
            OrderNotFound, OrderNotConfirmable, IdempotencyKeyReused: it is refused.
        """

        async def work(connection: Connection, attempt: Attempt) -> Response:
            order, items, now = await _locked(connection, order_id, attempt)
            check_confirmable(order)
            repository.set_confirmed(connection, order_id, now)
            order = order.confirmed(now)
            response = _response(HTTPStatus.OK, order, items)
            attempt.record(connection, order_id, response)
            return response

        return await self._step(Request(key, "order.confirm", order_id, {}), work)

    async def cancel(self, order_id: int, key: bytes | None) -> Response:
        """Cancel an order and give its stock back, exactly once; a canceled one stays as it is.

        Raises:
            OrderNotFound, CancelWindowClosed, IdempotencyKeyReused: it is refused.
        """

        async def work(connection: Connection, attempt: Attempt) -> Response:
            order, items, now = await _locked(connection, order_id, attempt)
            if order.status is not OrderStatus.CANCELED:
                check_cancelable(order, now, self.cancel_window)
                repository.set_canceled(connection, order_id, now)
                await repository.give_back_stock(connection, items)
                order = order.canceled(now)
            response = _response(HTTPStatus.OK, order, items)
            attempt.record(connection, order_id, response)
            return response

        return await self._step(Request(key, "order.cancel", order_id, {}), work)

    async def get(self, order_id: int) -> tuple[Order, list[Item]]:
        """Return an order and its items.

        Raises:
            OrderNotFound: there is none.
        """
        found = await self.database.read(lambda connection: repository.get(connection, order_id))
        if found is None:
            raise OrderNotFound
        return found

    async def page(
        self, chosen: OrderFilter, before: tuple[datetime, int] | None, rows: int
    ) -> list[Order]:
        """Return orders newest first, from below a moment and an id on."""
        return await self.database.read(
            lambda connection: repository.page(connection, chosen, before, rows)
        )

    async def _step(self, request: Request, work: Step) -> Response:
        """Take a step of an order, once: the work is one transaction."""

        async def act(attempt: Attempt) -> Response:
            return await self.database.transaction(lambda connection: work(connection, attempt))

        return await self.keys.once(request, act)

    async def _take(self, customer_id: int, quantities: Quantities, attempt: Attempt) -> Response:
        async def work(connection: Connection, *, hold: bool) -> Response:
            attempt.look_up(connection)
            offers = await repository.offers(connection, quantities, hold=hold)
            attempt.check_first()
            items = price(quantities, offers)
            now = next(iter(offers.values())).read_at
            # Order, then stock, then items: items first would take shared locks on the products
            # by their foreign keys, and the stock's exclusive ones would meet in deadlocks.
            order = await repository.insert_and_take_stock(connection, customer_id, items, now)
            if order is None:
                raise _OutrunError
            repository.insert_items(connection, order.id, items)
            response = _response(HTTPStatus.CREATED, order, items, location=f"/orders/{order.id}")
            attempt.record(connection, order.id, response)
            return response

        for hold in HOLDS_ROWS:
            try:
                return await self.database.transaction(functools.partial(work, hold=hold))
            except _OutrunError:
                continue
            except MissingReference as error:
                raise CustomerNotFound from error
        raise Busy("Prices or stock of these products change too fast; try again.")


async def _locked(
    connection: Connection, order_id: int, attempt: Attempt
) -> tuple[Order, list[Item], datetime]:
    """Return an order that nobody else may change, its items and the database's time."""
    attempt.look_up(connection)
    found = await repository.lock(connection, order_id)
    attempt.check_first()
    if found is None:
        raise OrderNotFound
    return found


def _response(
    status: int, order: Order, items: list[Item], *, location: str | None = None
) -> Response:
    body = jsons.encode(order.document_with(items))
    return Response(status, body, etag=order.etag, location=location)
