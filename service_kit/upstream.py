"""Calls to another service: bounded in time, repeated where that is safe, answers checked.

Whoever calls says how long it can wait, and only sends what may be repeated: reads, and writes
under an idempotency key.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from yarl import URL

from service_kit import correlation, jsons
from service_kit.problems import InvalidJson, UpstreamTimeout, UpstreamUnavailable
from service_kit.retrying import Backoff

log = structlog.get_logger()

# Shorter than the servers' own (75 s): a call then seldom meets a connection just closed.
KEEP_ALIVE_SECONDS = 15
CONNECTIONS = 100
LARGEST_REPLY_BYTES = 4 * 1024 * 1024
REPEATED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


def open_session(connections: int = CONNECTIONS) -> aiohttp.ClientSession:
    """Open the pool of connections that all calls of a process share."""
    connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=KEEP_ALIVE_SECONDS)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        # Only what a call states goes out: no proxy or .netrc of the machine.
        trust_env=False,
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """A JSON answer below 500: ``body`` is the value, ``attempts`` how often it was asked for."""

    status: int
    headers: Mapping[str, str]
    body: Any
    attempts: int

    @property
    def code(self) -> str | None:
        """The stable code of a problem; None if the answer is none."""
        return self.body.get("code") if isinstance(self.body, dict) else None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that one attempt may take to connect, and as a whole."""

    connect: float
    total: float


class Upstream:
    """One service, as seen by its callers."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        authorization: str,
        timeouts: Timeouts,
        backoff: Backoff,
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._authorization = authorization
        self._timeouts = timeouts
        self._backoff = backoff

    async def call(
        self,
        method: str,
        path: str,
        *,
        deadline: float,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request that is safe to repeat, until it is answered or the time is up.

        Args:
            method: the HTTP method.
            path: below the base URL, already escaped.
            deadline: the latest moment, by ``time.monotonic()``, at which to return.
            body: a JSON value, or None for no body.
            headers: besides the authorization, the correlation id and the content type.

        Raises:
            UpstreamTimeout: the last attempt was not answered in time.
            UpstreamUnavailable: it was refused, cut, or answered with nonsense.
            UpstreamProblem: it answered 408, 429 or 5xx to the end.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(method, path, deadline, body, headers or {}, attempt)
            except (UpstreamTimeout, UpstreamUnavailable) as problem:
                delay = self._backoff.delay(attempt)
                over = time.monotonic() + delay >= deadline
                log.warning(
                    "upstream call failed",
                    method=method,
                    url=self._base_url + path,
                    attempt=attempt,
                    code=problem.code,
                    reason=problem.detail,
                    gives_up=over or not self._backoff.allows(attempt),
                )
                if over or not self._backoff.allows(attempt):
                    raise
            await asyncio.sleep(delay)

    async def _attempt(
        self,
        method: str,
        path: str,
        deadline: float,
        body: Any,
        headers: Mapping[str, str],
        attempt: int,
    ) -> Reply:
        seconds = min(self._timeouts.total, deadline - time.monotonic())
        if seconds <= 0:
            raise UpstreamTimeout
        request_headers = {
            "Authorization": self._authorization,
            # Nothing is unpacked here: a small answer must not become a large one.
            "Accept-Encoding": "identity",
            correlation.HEADER: correlation.current.get() or correlation.new(),
            **headers,
        }
        if body is not None:
            request_headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                method,
                URL(self._base_url + path, encoded=True),
                data=None if body is None else jsons.encode(body),
                headers=request_headers,
                allow_redirects=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(
                    total=seconds,
                    sock_connect=self._timeouts.connect,
                    # By itself it rounds what is over 5 s up to a whole second of its clock, and
                    # would come back after the deadline.
                    ceil_threshold=math.inf,
                ),
            ) as response:
                data = await read_bounded(response, LARGEST_REPLY_BYTES)
                return self._checked(response, data, attempt)
        except aiohttp.ServerTimeoutError as error:
            raise UpstreamUnavailable(f"No connection in time: {type(error).__name__}.") from error
        except TimeoutError as error:
            raise UpstreamTimeout from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise UpstreamUnavailable(f"The call failed: {type(error).__name__}.") from error

    def _checked(self, response: aiohttp.ClientResponse, data: bytes, attempt: int) -> Reply:
        status = response.status
        body = _json_of(response, data)
        if status in REPEATED_STATUSES:
            raise UpstreamProblem(status, body)
        if not (200 <= status < 300 or 400 <= status < 500):  # noqa: PLR2004  # HTTP's classes
            raise UpstreamUnavailable(f"It answered {status}.")
        if body is None and status != HTTPStatus.NO_CONTENT:
            raise UpstreamUnavailable(f"It answered {status} without JSON.")
        return Reply(status, response.headers, body, attempt)


class UpstreamProblem(UpstreamUnavailable):
    """The service itself says that it cannot do it now; ``upstream_code`` is its own word."""

    def __init__(self, status: int, body: Any) -> None:
        self.upstream_status = status
        self.upstream_code = body.get("code") if isinstance(body, dict) else None
        super().__init__(f"It answered {status}.")


async def read_bounded(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """Return the body of an answer, of so many bytes at the most.

    Raises:
        UpstreamUnavailable: there is more.
    """
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > largest:
            raise UpstreamUnavailable("It answered with too much.")
    return bytes(data)


def _json_of(response: aiohttp.ClientResponse, data: bytes) -> Any:
    """Return the JSON of an answer; None if it is none, or says of itself that it is none."""
    if not (response.content_type == "application/json" or response.content_type.endswith("+json")):
        return None
    try:
        return jsons.decode(data)
    except InvalidJson:
        return None
