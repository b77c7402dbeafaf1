"""How the runtime reads events and writes answers.

The runtime's own parser gives up on JSON that is nested too deep and on integers of thousands of
digits, and the invocation would end as an error of the function. Here such an event reaches the
handler as `Unreadable`. What is no JSON at all still fails in the runtime, as it does everywhere.
"""

from typing import Any

from awslambdaric.lambda_runtime_client import BaseLambdaRuntimeClient
from awslambdaric.lambda_runtime_exception import FaultException
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

from orchestrator_image.events import Unreadable


class Marshaller:
    """The runtime's marshaller, which does not fail on JSON that is too much for it."""

    def __init__(self) -> None:
        self._runtime = LambdaMarshaller()

    def unmarshal_request(self, request: Any, content_type: str = "application/json") -> Any:
        """Return the event's JSON value, or `Unreadable`.

        Raises:
            FaultException: it is not JSON.
        """
        try:
            return self._runtime.unmarshal_request(request, content_type)
        except FaultException as fault:
            # Bad JSON and bad UTF-8 are subclasses of ValueError; too many digits is itself.
            if type(fault.__context__) not in {RecursionError, ValueError}:
                raise
            return Unreadable("The event is nested too deep, or has an integer of too many digits.")

    def marshal_response(self, response: Any) -> Any:
        """Return the answer's JSON and its content type."""
        return self._runtime.marshal_response(response)


def install() -> None:
    """Make the runtime use it; ``marshaller`` is the attribute that it offers for that."""
    BaseLambdaRuntimeClient.marshaller = Marshaller()
