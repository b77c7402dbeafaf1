"""What the Orders API asks of the Customers API."""

import time

import structlog

from orders_api.circuit import Circuit
from orders_api.problems import CustomerNotFound, CustomersUnavailable
from service_kit.problems import UpstreamTimeout, UpstreamUnavailable
from service_kit.upstream import Upstream

log = structlog.get_logger()

PATIENCE_SECONDS = 4.0
_OK = 200
_NOT_FOUND = 404


class CustomersClient:
    """The Customers API, as far as orders need it."""

    def __init__(self, upstream: Upstream, circuit: Circuit) -> None:
        self._upstream = upstream
        self._circuit = circuit

    async def check_exists(self, customer_id: int) -> None:
        """Let an order pass whose customer exists.

        Raises:
            CustomerNotFound: it does not exist, or was deleted.
            CustomersUnavailable: the Customers API cannot say, or has not lately.
        """
        await self._circuit.run(lambda: self._ask(customer_id))

    async def _ask(self, customer_id: int) -> None:
        try:
            reply = await self._upstream.call(
                "GET",
                f"/internal/customers/{customer_id}",
                deadline=time.monotonic() + PATIENCE_SECONDS,
            )
        except (UpstreamUnavailable, UpstreamTimeout) as problem:
            raise CustomersUnavailable from problem
        if reply.status == _NOT_FOUND and reply.code == CustomerNotFound.code:
            raise CustomerNotFound
        # Only its own words count: a proxy's 404, or another customer, says nothing of this one.
        body = reply.body if isinstance(reply.body, dict) else {}
        if reply.status != _OK or body.get("id") != customer_id:
            log.error("the Customers API answered nonsense", status=reply.status, code=reply.code)
            raise CustomersUnavailable
