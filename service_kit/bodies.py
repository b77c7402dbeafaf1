"""How much of a request's body is read.

Tornado answers what it will not read by a bare 400 before any handler is asked. Here it reads
through to the end of a body that is a little too large, so that the client is there to hear the
413, and hangs up on one that is much too large, or does not come to its end.
"""

import asyncio
from collections.abc import Callable

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)

from service_kit.problems import BodyTooLarge, Busy, Problem, RequestTimeout

BODY_SECONDS = 30
LARGEST_BODY_BYTES = 1024 * 1024
LARGEST_BODY_DISCARDED_BYTES = 16 * LARGEST_BODY_BYTES
# Tornado's own limit is out of the way: this module decides.
SERVER_LIMIT_BYTES = 1 << 62

LARGEST_UNANSWERED_BYTES = 64 * LARGEST_BODY_BYTES
"""What the bodies of all requests that are still being received may take, before anybody knows who
sends them."""

RefusalFactory = Callable[[Problem], HTTPMessageDelegate]


class BodyBudget:
    """Counts the bytes of bodies that are being received by one process."""

    def __init__(self, largest: int = LARGEST_UNANSWERED_BYTES) -> None:
        self._largest = largest
        self.taken = 0

    def take(self, size: int) -> bool:
        """Take so many bytes, if that many are left."""
        if self.taken + size > self._largest:
            return False
        self.taken += size
        return True

    def give_back(self, size: int) -> None:
        """Give bytes back."""
        self.taken -= size


class BoundedBody(HTTPMessageDelegate):
    """Passes a request on to its handler, unless its body is not to be read."""

    def __init__(
        self,
        request: HTTPServerRequest,
        handler: HTTPMessageDelegate,
        refuse: RefusalFactory,
        budget: BodyBudget,
    ) -> None:
        # No service takes forms. Tornado would parse one before anybody asks who is calling, and
        # call a broken one malformed.
        request._parse_body = lambda: None  # type: ignore[method-assign]  # noqa: SLF001
        self._handler = handler
        self._refuse = refuse
        self._budget = budget
        self._received = 0
        self._kept = 0
        self._refusal: Problem | None = None
        self._answered = False
        self._end: asyncio.TimerHandle | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Decide by the headers, as far as they tell."""
        self._start_line, self._headers = start_line, headers
        self._handler.headers_received(start_line, headers)
        declared = headers.get("Content-Length", "")
        # Whoever waits to be invited is not invited, which Tornado would do otherwise.
        if _is_above(declared, LARGEST_BODY_BYTES):
            asks_first = headers.pop("Expect", None)
            if asks_first or _is_above(declared, LARGEST_BODY_DISCARDED_BYTES):
                self._hang_up(_much_too_large)
        if (declared or "Transfer-Encoding" in headers) and not self._answered:
            loop = asyncio.get_running_loop()
            self._end = loop.call_later(BODY_SECONDS, self._hang_up, RequestTimeout)

    def data_received(self, chunk: bytes) -> None:
        """Keep the chunk while the body is within its bound."""
        self._received += len(chunk)
        if self._received > LARGEST_BODY_BYTES:
            self._refusal = BodyTooLarge()
        if self._received > LARGEST_BODY_DISCARDED_BYTES:
            self._hang_up(_much_too_large)
        elif self._refusal is None:
            self._keep(chunk)

    def finish(self) -> None:
        """Let the handler answer, or the refusal."""
        self._settle()
        if self._refusal is None:
            self._handler.finish()
        else:
            self._answer_refusal()

    def on_connection_close(self) -> None:
        """Tell the handler that nobody listens any more."""
        self._settle()
        self._handler.on_connection_close()

    def _keep(self, chunk: bytes) -> None:
        if self._budget.take(len(chunk)):
            self._kept += len(chunk)
            self._handler.data_received(chunk)
        else:
            self._refusal = Busy("Too much is being received; try again.")

    def _settle(self) -> None:
        if self._end is not None:
            self._end.cancel()
        self._budget.give_back(self._kept)
        self._kept = 0

    def _hang_up(self, refusal: Callable[[], Problem]) -> None:
        self._refusal = refusal()
        self._answer_refusal()

    def _answer_refusal(self) -> None:
        if self._answered:
            return
        self._answered = True
        assert self._refusal is not None  # noqa: S101  # who calls this has one
        self._handler = self._refuse(self._refusal)
        self._handler.headers_received(self._start_line, self._headers)
        self._handler.finish()


def _much_too_large() -> Problem:
    return BodyTooLarge(headers={"Connection": "close"})


def _is_above(declared_length: str, limit: int) -> bool:
    """Compare a length; what is none is for Tornado to refuse."""
    # "²" is a digit, but no number; and of thousands of digits Python makes no number at all.
    if not (declared_length.isascii() and declared_length.isdigit()):
        return False
    digits = declared_length.lstrip("0") or "0"
    return len(digits) > len(str(limit)) or int(digits) > limit
