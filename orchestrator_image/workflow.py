"""The orchestration: the customer, the order, its confirmation.

Both writes carry keys derived from the caller's, so that the whole may be repeated after any
failure: there is one order. That is also why nothing is undone while an outcome is unknown.
"""

import time
from dataclasses import dataclass
from typing import Any

import structlog

from orchestrator_image import rules
from orchestrator_image.replies import Replies
from orchestrator_image.services import Service
from orchestrator_image.settings import Patience
from service_kit.problems import Problem

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Request:
    """What is ordered, by whom, and the key under which it may be asked for again."""

    customer_id: int
    items: list[dict[str, int]]
    idempotency_key: str

    @classmethod
    def of(cls, value: dict[str, Any]) -> "Request":
        """Return the request of a value that fits ``CreateAndConfirmOrder``."""
        items = [
            {"product_id": rules.row_id(item["product_id"]), "qty": item["qty"]}
            for item in value["items"]
        ]
        return cls(rules.row_id(value["customer_id"]), items, value["idempotency_key"])


@dataclass(frozen=True, slots=True)
class CreatedOrder:
    """An order that is there now, and whether this call made it."""

    id: int
    by_this_call: bool


class Workflow:
    """The steps of one orchestration after the other."""

    def __init__(
        self, customers: Service, orders: Service, replies: Replies, patience: Patience
    ) -> None:
        self._customers = customers
        self._orders = orders
        self._replies = replies
        self._patience = patience

    async def create_and_confirm(self, request: Request, deadline: float) -> dict[str, Any]:
        """Return ``{customer, order}``, the order CONFIRMED.

        Args:
            request: what is ordered.
            deadline: the latest moment, by ``time.monotonic()``, at which to return.

        Raises:
            Problem: a step refused, or could not be done in the time.
        """
        customer = await self._customer(request, deadline)
        created = await self._create(request, deadline)
        order = await self._confirm(request, created, deadline)
        return {"customer": customer, "order": order}

    async def _customer(self, request: Request, deadline: float) -> dict[str, Any]:
        reply = await self._customers.ask(
            "GET",
            f"/internal/customers/{request.customer_id}",
            deadline=_share(self._patience.customer_share, deadline),
        )
        return self._replies.customer(self._customers.accepted(reply), request.customer_id)

    async def _create(self, request: Request, deadline: float) -> CreatedOrder:
        reply = await self._orders.ask(
            "POST",
            "/orders",
            deadline=_share(self._patience.create_share, deadline),
            body={"customer_id": request.customer_id, "items": request.items},
            key=rules.create_key(request.idempotency_key),
        )
        order_id = self._replies.created_order_id(self._orders.accepted(reply))
        return CreatedOrder(order_id, by_this_call=rules.was_created_by(reply))

    async def _confirm(
        self, request: Request, created: CreatedOrder, deadline: float
    ) -> dict[str, Any]:
        reply = await self._orders.ask(
            "POST",
            f"/orders/{created.id}/confirm",
            deadline=deadline,
            key=rules.confirm_key(request.idempotency_key, created.id),
        )
        if created.by_this_call and rules.cancels(reply):
            await self._cancel(created.id, deadline)
        return self._replies.confirmed_order(self._orders.accepted(reply), created.id)

    async def _cancel(self, order_id: int, deadline: float) -> None:
        """Give the stock of an order back that will not be confirmed, as far as that goes now.

        The caller is told of the refusal, whatever becomes of this.
        """
        try:
            reply = await self._orders.ask("POST", f"/orders/{order_id}/cancel", deadline=deadline)
            self._orders.accepted(reply)
        except Problem as problem:
            log.warning("order not canceled", order_id=order_id, code=problem.code)
        else:
            log.info("order canceled", order_id=order_id)


def _share(share: float, deadline: float) -> float:
    """Return the moment at which a share of the time left is used up."""
    now = time.monotonic()
    return now + share * (deadline - now)
