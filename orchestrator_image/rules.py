"""The rules of the orchestration: keys, what a refusal means, what cancels an order. No I/O."""

import hashlib
import re
from typing import Any

from service_kit import jsons
from service_kit.problems import Busy, Problem, UpstreamTimeout, UpstreamUnavailable
from service_kit.upstream import Reply, UpstreamProblem

LARGEST_ID = 2**63 - 1
"""No row has a larger id (MySQL's BIGINT); nor has a row this one."""

LONGEST_MESSAGE = 300
MOST_ERROR_BYTES = 64 * 1024

# A confirmation refused with one of these may still come to something: the refusal is about us
# or about this moment, not about the order.
INDEFINITE_STATUSES = frozenset({401, 403, 408, 429})

# These say that our call was wrong, or went to a wrong address: nothing that the caller did, and
# nothing that it could mend.
OUR_OWN_FAULTS = frozenset(
    {
        "BODY_TOO_LARGE",
        "FORBIDDEN",
        "IDEMPOTENCY_KEY_INVALID",
        "IDEMPOTENCY_KEY_REQUIRED",
        "INVALID_JSON",
        "METHOD_NOT_ALLOWED",
        "NOT_FOUND",
        "PRECONDITION_FAILED",
        "UNAUTHORIZED",
        "UNSUPPORTED_MEDIA_TYPE",
    }
)

_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_REPEAT = "Repeat the call with the same idempotency_key."


class Refused(Problem):
    """A step's own refusal, passed on with its status, code and facts."""

    title = "A step refused"

    def __init__(self, status: int, code: str, detail: str | None, errors: list[Any]) -> None:
        super().__init__(detail, errors=errors)
        self.status = status
        self.code = code


class CustomersUnavailable(Busy):
    """The Orders API could not ask for the customer."""

    code = "CUSTOMERS_UNAVAILABLE"
    title = "The customer cannot be checked now; try again"


def create_key(idempotency_key: str) -> str:
    """Return the key of the order's creation: printable ASCII of bounded length, for any key."""
    return f"orchestrator:create:{_digest(idempotency_key)}"


def confirm_key(idempotency_key: str, order_id: int) -> str:
    """Return the key of the order's confirmation."""
    return f"orchestrator:confirm:{order_id}:{_digest(idempotency_key)}"


def _digest(idempotency_key: str) -> str:
    # A JSON string may hold half of a surrogate pair, which UTF-8 proper cannot write.
    return hashlib.sha256(idempotency_key.encode("utf-8", "surrogatepass")).hexdigest()


def row_id(asked_for: int) -> int:
    """Return an id that can be sent: what is larger than any row's becomes the largest.

    The answer is the same, that there is no such row, and an id of any length has one.
    """
    return min(asked_for, LARGEST_ID)


def refusal(service: str, reply: Reply) -> Problem:
    """Tell what a 4xx of a step means to the caller.

    A problem with a code passes as it is. Without one it is not the service that answered (a wrong
    base URL gives a 404 too), and what is about our call is not for the caller.
    """
    code = reply.code
    definite = reply.status not in INDEFINITE_STATUSES
    if isinstance(code, str) and _CODE.fullmatch(code) and definite and code not in OUR_OWN_FAULTS:
        return Refused(reply.status, code, _detail(reply.body), _errors(reply.body))
    return UpstreamUnavailable(f"{service} refused a call of the orchestrator's. {_REPEAT}")


def outage(service: str, problem: Busy) -> Problem:
    """Tell what it means to the caller that a service did not answer, or not now."""
    if isinstance(problem, UpstreamTimeout):
        return UpstreamTimeout(f"{service} did not answer in time. {_REPEAT}")
    if isinstance(problem, UpstreamProblem) and problem.upstream_status == Busy.status:
        if problem.upstream_code == CustomersUnavailable.code:
            return CustomersUnavailable(f"{service} could not check the customer. {_REPEAT}")
        if problem.upstream_code == Busy.code:
            return Busy(f"{service} is busy. {_REPEAT}")
    return UpstreamUnavailable(f"{service} is unavailable. {_REPEAT}")


def was_created_by(reply: Reply) -> bool:
    """Tell whether this very call of ``POST /orders`` created the order, beyond doubt.

    A replay gives an order of another call; after a repeated attempt it is not known which of them
    created it, and by the time of the second somebody may have begun to rely on it.
    """
    return reply.attempts == 1 and "Idempotent-Replayed" not in reply.headers


def cancels(confirmation: Reply) -> bool:
    """Tell whether this refusal of the confirmation leaves an order that nobody will want."""
    return (
        400 <= confirmation.status < 500  # noqa: PLR2004  # HTTP's class of refusals
        and confirmation.status not in INDEFINITE_STATUSES
        and confirmation.code != "ORDER_NOT_CONFIRMABLE"
    )


def failure_document(problem: Problem, correlation_id: str) -> dict[str, Any]:
    """Write a problem in the orchestrator's failure shape."""
    error: dict[str, Any] = {"code": problem.code, "message": problem.detail}
    if problem.errors:
        error["errors"] = [
            {name: _printable(value) for name, value in fact.items()} for fact in problem.errors
        ]
    return {"success": False, "correlationId": correlation_id, "error": error}


def _detail(body: Any) -> str | None:
    detail = body.get("detail")
    return detail[:LONGEST_MESSAGE] if isinstance(detail, str) else None


def _errors(body: Any) -> list[dict[str, Any]]:
    """Return the facts of a refusal, if they are what facts are: flat objects, and not too many."""
    errors = body.get("errors")
    if not isinstance(errors, list) or not all(map(_is_fact, errors)):
        return []
    return errors if len(jsons.encode(errors)) <= MOST_ERROR_BYTES else []


def _is_fact(value: Any) -> bool:
    return isinstance(value, dict) and not any(
        isinstance(member, dict | list) for member in value.values()
    )


def _printable(value: Any) -> Any:
    """Return a text that UTF-8 can hold: a schema's pointers repeat names that the caller chose."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
