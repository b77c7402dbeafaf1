"""HTTP calls to this system, from the terminal."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from local_system.failures import LocalSystemError

# Everything called is on this machine: a proxy of the caller's environment is not meant for it.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Answer:
    """A response's status and body."""

    status: int
    body: bytes

    def json(self) -> object:
        """Return the body's JSON value, or the body as text if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode(errors="replace")


def get(url: str, timeout_seconds: float) -> Answer:
    """Return the answer to a GET.

    Raises:
        LocalSystemError: nobody answered.
    """
    return _send(urllib.request.Request(url), timeout_seconds)  # noqa: S310 - http, of our own


def post_json(
    url: str, body: object, timeout_seconds: float, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return the answer to a POST of a JSON value.

    Raises:
        LocalSystemError: nobody answered.
    """
    request = urllib.request.Request(  # noqa: S310 - http, of our own
        url,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
        method="POST",
    )
    return _send(request, timeout_seconds)


def is_healthy(base_url: str) -> bool:
    """Say whether a service answers that it can do its work."""
    try:
        return get(f"{base_url}/health", timeout_seconds=5.0).status == HTTPStatus.OK
    except LocalSystemError:
        return False


def _send(request: urllib.request.Request, timeout_seconds: float) -> Answer:
    try:
        with _OPENER.open(request, timeout=timeout_seconds) as response:
            return Answer(response.status, response.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.read())
    except OSError as failure:
        reason = getattr(failure, "reason", failure)
        raise LocalSystemError(
            f"{request.full_url} does not answer ({reason}): scripts/status says what runs"
        ) from failure
