"""Ways from a container to services of this machine that listen on loopback alone."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 65536


@contextmanager
def reachable(urls: Sequence[str], address: str) -> Iterator[list[str]]:
    """Yield the URLs as they are reached at the address, which containers can reach.

    While the context lasts, a free port of the address leads to each.
    """
    loop = asyncio.new_event_loop()
    servers = loop.run_until_complete(_listen(urls, address))
    thread = threading.Thread(target=loop.run_forever, name="bridge")
    thread.start()
    try:
        yield [
            urlunsplit(urlsplit(url)._replace(netloc=f"{address}:{_port(server)}"))
            for url, server in zip(urls, servers, strict=True)
        ]
    finally:
        asyncio.run_coroutine_threadsafe(_close(servers), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _listen(urls: Sequence[str], address: str) -> list[asyncio.Server]:
    return [await _way_to(url, address) for url in urls]


async def _way_to(url: str, address: str) -> asyncio.Server:
    parts = urlsplit(url)

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(parts.hostname, parts.port or 80)
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        except OSError:
            writer.close()

    return await asyncio.start_server(passed_on, address, 0)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(ConnectionError):
            while chunk := await reader.read(_CHUNK):
                writer.write(chunk)
                await writer.drain()
    finally:
        writer.close()


async def _close(servers: Sequence[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _port(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port
