"""An application behind a port of its own, in the test's loop."""

from typing import TYPE_CHECKING

from tornado.netutil import bind_sockets

from service_kit.server import http_server

if TYPE_CHECKING:
    from service_kit.application import ServiceApplication
    from service_kit.serving import Closer


def listen(application: "ServiceApplication", close: "Closer") -> tuple[str, "Closer"]:
    """Serve an application; return its base URL, and what stops it and then calls ``close``."""
    server = http_server(application)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)

    async def stop() -> None:
        server.stop()
        await server.close_all_connections()
        await close()

    return f"http://127.0.0.1:{sockets[0].getsockname()[1]}", stop
