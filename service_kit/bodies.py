"""How much of a request's body is read.

Tornado answers what it will not read by a bare 400 before any handler is asked. Here it reads
through to the end of a body that is a little too large, so that the client is there to hear the
413, and hangs up on one that is much too large.
"""

from collections.abc import Callable

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)

from service_kit.problems import BodyTooLarge, Problem

LARGEST_BODY_BYTES = 1024 * 1024
LARGEST_BODY_DISCARDED_BYTES = 16 * LARGEST_BODY_BYTES
# Tornado's own limit is out of the way: this module decides.
SERVER_LIMIT_BYTES = 1 << 62

RefusalFactory = Callable[[Problem], HTTPMessageDelegate]


class BoundedBody(HTTPMessageDelegate):
    """Passes a request on to its handler, unless its body is not to be read."""

    def __init__(
        self, request: HTTPServerRequest, handler: HTTPMessageDelegate, refuse: RefusalFactory
    ) -> None:
        # No service takes forms. Tornado would parse one before anybody asks who is calling, and
        # call a broken one malformed.
        request._parse_body = lambda: None  # type: ignore[method-assign]  # noqa: SLF001
        self._handler = handler
        self._refuse = refuse
        self._received = 0
        self._refusal: Problem | None = None
        self._answered = False

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Decide by the headers, as far as they tell."""
        self._start_line, self._headers = start_line, headers
        self._handler.headers_received(start_line, headers)
        declared = headers.get("Content-Length", "")
        if declared.isdigit() and int(declared) > LARGEST_BODY_DISCARDED_BYTES:
            # Else Tornado would invite the body, before the refusal is out.
            headers.pop("Expect", None)
            self._hang_up()

    def data_received(self, chunk: bytes) -> None:
        """Keep the chunk while the body is within its bound."""
        self._received += len(chunk)
        if self._received > LARGEST_BODY_BYTES and self._refusal is None:
            self._refusal = BodyTooLarge()
        if self._received > LARGEST_BODY_DISCARDED_BYTES:
            self._hang_up()
        elif self._refusal is None:
            self._handler.data_received(chunk)

    def finish(self) -> None:
        """Let the handler answer, or the refusal."""
        if self._refusal is None:
            self._handler.finish()
        else:
            self._answer_refusal()

    def on_connection_close(self) -> None:
        """Tell the handler that nobody listens any more."""
        self._handler.on_connection_close()

    def _hang_up(self) -> None:
        self._refusal = BodyTooLarge(headers={"Connection": "close"})
        self._answer_refusal()

    def _answer_refusal(self) -> None:
        if self._answered:
            return
        self._answered = True
        assert self._refusal is not None  # noqa: S101
        self._handler = self._refuse(self._refusal)
        self._handler.headers_received(self._start_line, self._headers)
        self._handler.finish()
