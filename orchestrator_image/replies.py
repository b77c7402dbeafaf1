"""What is read out of the services' answers: what the caller is told, and no more.

An answer of 2xx without what is needed is as good as none: it is not our service that gave it, or
not the version that we know.
"""

from typing import Any

from service_kit.problems import UpstreamUnavailable, ValidationFailed
from service_kit.schemas import Schemas
from service_kit.upstream import Reply

_CUSTOMER = "OrchestratedCustomer"
_ORDER = "OrchestratedOrder"
_ITEM = "OrchestratedItem"


class Replies:
    """Reads answers by the schemas of the orchestrator's own answer."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        # Compiled now, at init, rather than in the first invocation.
        for name in (_CUSTOMER, _ORDER):
            schemas.validator(name)

    def customer(self, reply: Reply, customer_id: int) -> dict[str, Any]:
        """Return ``{id, name, email, phone}`` of the customer that was asked for.

        Raises:
            UpstreamUnavailable: the answer holds no such customer.
        """
        return self._checked(_CUSTOMER, self._picked(_CUSTOMER, reply.body), customer_id)

    def created_order_id(self, reply: Reply) -> int:
        """Return the id of the order that was created, now or before.

        Raises:
            UpstreamUnavailable: the answer names none.
        """
        order_id = reply.body.get("id") if isinstance(reply.body, dict) else None
        if not isinstance(order_id, int) or isinstance(order_id, bool) or order_id < 1:
            raise _nonsense()
        return order_id

    def confirmed_order(self, reply: Reply, order_id: int) -> dict[str, Any]:
        """Return ``{id, status, total_cents, items}`` of the order that was confirmed.

        Raises:
            UpstreamUnavailable: the answer holds no such order, or it is not confirmed.
        """
        order = self._picked(_ORDER, reply.body)
        items = order.get("items")
        if isinstance(items, list):
            order["items"] = [self._picked(_ITEM, item) for item in items]
        return self._checked(_ORDER, order, order_id)

    def _picked(self, schema: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _nonsense()
        names = self._schemas.documents[schema]["properties"]
        return {name: value[name] for name in names if name in value}

    def _checked(self, schema: str, value: dict[str, Any], expected_id: int) -> dict[str, Any]:
        try:
            checked: dict[str, Any] = self._schemas.validator(schema).check(value)
        except ValidationFailed:
            raise _nonsense() from None
        if checked["id"] != expected_id:
            raise _nonsense()
        return checked


def _nonsense() -> UpstreamUnavailable:
    return UpstreamUnavailable("It answered with something else than was asked for.")
