"""``POST /orchestrator/create-and-confirm-order``: HTTP in, a Lambda event out, and back."""

import uuid
from datetime import UTC, datetime
from typing import Any

from tornado.httputil import HTTPInputError

from gateway import proxy_responses
from gateway.emulator_pool import EmulatorPool
from gateway.events import Event, IncomingRequest, http_event
from gateway.handlers import CLIENT_LEFT, ClientLeft, WaitingHandler
from gateway.proxy_responses import FunctionResponse
from service_kit import correlation, jsons
from service_kit.handlers import Access, JsonHandler, RefusalHandler
from service_kit.problems import InvalidJson, MethodNotAllowed, Problem, UpstreamUnavailable

PATH = "/orchestrator/create-and-confirm-order"


class FailureShape(JsonHandler):
    """Refuses in the orchestrator's words, as far as a client of it may meet the refusal."""

    def render_problem(self, problem: Problem) -> None:
        """Write what the schema ``OrchestrationFailed`` describes."""
        if isinstance(problem, MethodNotAllowed):
            super().render_problem(problem)
            return
        error: dict[str, Any] = {"code": problem.code, "message": problem.detail}
        if problem.errors:
            error["errors"] = problem.errors
        document = {"success": False, "correlationId": self.correlation_id, "error": error}
        self.set_header("Content-Type", "application/json")
        self.finish(jsons.encode(document))


class OrchestrationRefusalHandler(FailureShape, RefusalHandler):
    """Answers with a problem that was known before any handler was asked."""


class OrchestrationHandler(FailureShape, WaitingHandler):
    """The orchestrator, behind the emulators."""

    SCHEMA = "CreateAndConfirmOrder"

    access = Access.OPERATORS
    emulators: EmulatorPool

    async def post(self) -> None:
        """Create and confirm an order.

        ---
        summary: Create an order and confirm it
        description: >-
          The customer is looked up, the order is created and its stock taken, the order is
          confirmed; you get customer, order and items at once. The same `idempotency_key` gives
          the same order, however often the call is repeated, for 24 hours, unless the installation
          keeps keys for another time; after that it is a new call and makes a new order. After 503
          or 504 repeat it: the work is finished under the key. If the confirmation is refused for
          good, the order is canceled again.
        operationId: createAndConfirmOrder
        tags: [orchestrator]
        x-body: CreateAndConfirmOrder
        x-body-examples:
          without an id of your own:
            customer_id: 1
            items: [{product_id: 2, qty: 1}, {product_id: 3, qty: 20}]
            idempotency_key: 7e2f6f0a-8f0e-4a43-a54b-0c5d9f6ad3f7
        x-answers: {"201": OrchestrationSucceeded}
        x-links:
          getOrder: {order_id: $response.body#/data/order/id}
          cancelOrder: {order_id: $response.body#/data/order/id}
          getCustomer: {customer_id: $response.body#/data/customer/id}
        x-problems:
          - CUSTOMER_NOT_FOUND
          - PRODUCT_NOT_FOUND
          - INSUFFICIENT_STOCK
          - ORDER_NOT_CONFIRMABLE
          - TOTAL_TOO_LARGE
          - IDEMPOTENCY_KEY_REUSED
          - RATE_LIMITED
          - UPSTREAM_UNAVAILABLE
          - CUSTOMERS_UNAVAILABLE
          - UPSTREAM_TIMEOUT
        x-facts:
          PRODUCT_NOT_FOUND: [{product_id: 7}]
          INSUFFICIENT_STOCK: [{product_id: 2, requested: 3, available: 1}]
        x-refused: {customer_id: 1, items: [], idempotency_key: abc-123}
        """
        self._name_by(_correlation_id_in(self.request.body))
        event = jsons.encode(self._event())
        try:
            answer = await self.while_client_stays(self.emulators.invoke(event))
        except ClientLeft:
            self.set_status(CLIENT_LEFT)
            return
        self._send(proxy_responses.read(answer))

    def _event(self) -> Event:
        request = self.request
        incoming = IncomingRequest(
            method=request.method or "",
            path=request.path,
            query=request.query,
            http_version=request.version,
            headers=list(request.headers.get_all()),
            body=request.body,
            origin=self.origin(),
            request_id=str(uuid.uuid4()),
            correlation_id=self.correlation_id,
            moment=datetime.now(UTC),
        )
        return http_event(incoming, f"{request.method} {PATH}")

    def _send(self, response: FunctionResponse) -> None:
        self.set_status(response.status)
        # Ours give way to all that the function says, several fields of one name included.
        for name, _ in response.headers:
            self.clear_header(name)
        try:
            for name, value in response.headers:
                self.add_header(name, value)
        except (ValueError, HTTPInputError) as error:
            raise UpstreamUnavailable("The orchestrator answered nonsense.") from error
        self._name_by(self._headers.get(correlation.HEADER))
        if not response.body:
            self.clear_header("Content-Type")
        self.finish(response.body or None)

    def _name_by(self, correlation_id: str | None) -> None:
        """Go by another id from here on: the body's wins, and the function has the last word."""
        if correlation.is_well_formed(correlation_id):
            self.correlation_id = str(correlation_id)
            correlation.current.set(self.correlation_id)
        self.set_header(correlation.HEADER, self.correlation_id)


def _correlation_id_in(body: bytes) -> str | None:
    """Return what a body says of the id; whether the body is sound is for the function to say.

    A refusal that never reaches the function then has the caller's own id as well.
    """
    try:
        value = jsons.decode(body)
    except InvalidJson:
        return None
    named = value.get("correlation_id") if isinstance(value, dict) else None
    return named if isinstance(named, str) else None
