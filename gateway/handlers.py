"""What all handlers of the gateway share."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from gateway.headers import Origin
from gateway.rate_limit import RateLimit
from service_kit.handlers import JsonHandler

T = TypeVar("T")

CLIENT_LEFT = 499
"""The status that the log and the metrics show of a request that nobody waited for."""


class ClientLeft(Exception):
    """Nobody is there to be answered."""


class WaitingHandler(JsonHandler):
    """Waits for others on behalf of a client, as long as it is there and does not ask too often."""

    rate_limit: RateLimit
    _work: asyncio.Task[Any] | None = None
    _client_left = False

    async def prepare(self) -> None:
        """Refuse a caller who asks too often, before anything is done for it."""
        authorization = self.request.headers.get("Authorization")
        self.caller = self.rate_limit.admit(authorization, self.request.remote_ip or "")
        await super().prepare()

    async def while_client_stays(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work returns.

        Raises:
            ClientLeft: the client closed its connection; the work was cancelled.
        """
        task = asyncio.create_task(work)
        self._work = task
        if self._client_left:
            task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            if self._client_left:
                raise ClientLeft from None
            raise

    def on_connection_close(self) -> None:
        """Stop waiting."""
        self._client_left = True
        if self._work is not None:
            self._work.cancel()

    def origin(self) -> Origin:
        """Tell where the request came from."""
        request = self.request
        return Origin(request.remote_ip or "", request.protocol, request.host)
