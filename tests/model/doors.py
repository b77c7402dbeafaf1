"""The live system as the model's requests reach it: at the gateway, or at the services."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp
import uvloop

from local_system.system import LocalSystem
from tests.apis import Answer, Api
from tests.model.exchanges import NOBODY, OPERATOR, SERVICE, VIEWER, Request
from tests.running_systems import token_of
from tests.system import databases


@dataclass(frozen=True, slots=True)
class Doors:
    """A running system, and the loop in which it is called."""

    system: LocalSystem
    runner: asyncio.Runner
    session: aiohttp.ClientSession
    tokens: dict[str, str | None]

    def call(self, request: Request, *, at_gateway: bool = True) -> Answer:
        """Make one request."""
        return self.runner.run(self._call(request, at_gateway=at_gateway))

    def call_twice(self, request: Request, *, at_gateway: bool = True) -> list[Answer]:
        """Make the same request twice at once; the one that acted, if one did, comes first."""

        async def both() -> list[Answer]:
            calls = (self._call(request, at_gateway=at_gateway) for _ in range(2))
            return await asyncio.gather(*calls)

        answers = self.runner.run(both())
        return sorted(answers, key=lambda answer: "Idempotent-Replayed" in answer.headers)

    def query(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        """Run one statement as the administrator of the database."""
        return databases.query(self.system, sql, *parameters)

    async def _call(self, request: Request, *, at_gateway: bool) -> Answer:
        api = self._api(request, at_gateway=at_gateway)
        return await api.call(
            request.method, request.path, request.value, data=None, **request.headers
        )

    def _api(self, request: Request, *, at_gateway: bool) -> Api:
        base_url, document = self.system.gateway_url, "gateway"
        if not at_gateway and request.path.startswith("/customers"):
            base_url, document = self.system.customers_url, "customers_api"
        elif not at_gateway and request.path.startswith(("/products", "/orders")):
            base_url, document = self.system.orders_url, "orders_api"
        token = self.tokens[request.caller]
        return Api(self.session, base_url, token, f"{document}/openapi.yaml")


@contextmanager
def open_doors(system: LocalSystem) -> Iterator[Doors]:
    """Call a system for as long as the block."""
    tokens = {
        OPERATOR: token_of(system, exp=2**33),
        VIEWER: token_of(system, "viewer", exp=2**33),
        SERVICE: system.values["orders_api"]["SERVICE_TOKEN"],
        NOBODY: None,
    }
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        session = runner.run(_in_loop(aiohttp.ClientSession))
        try:
            yield Doors(system, runner, session, tokens)
        finally:
            runner.run(session.close())


async def _in_loop(make: Callable[[], aiohttp.ClientSession]) -> aiohttp.ClientSession:
    return make()
