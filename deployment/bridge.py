"""Ways from a container to services of this machine that listen on loopback alone."""

import asyncio
import ipaddress
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 65536


@contextmanager
def reachable(urls: Sequence[str], address: str) -> Iterator[list[str]]:
    """Yield the URLs as containers reach them: those on loopback at the address, others as given.

    While the context lasts, a free port of the address leads to each on loopback. TLS goes through
    untouched, but then the certificate must be good for the address.
    """
    loop = asyncio.new_event_loop()
    servers = loop.run_until_complete(_listen([url for url in urls if is_loopback(url)], address))
    thread = threading.Thread(target=loop.run_forever, name="bridge")
    thread.start()
    ports = map(_port, servers)
    try:
        yield [_moved(url, address, next(ports)) if is_loopback(url) else url for url in urls]
    finally:
        asyncio.run_coroutine_threadsafe(_close(servers), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def is_loopback(url: str) -> bool:
    """Say whether the URL's host is this machine to itself alone."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _moved(url: str, address: str, port: int) -> str:
    return urlunsplit(urlsplit(url)._replace(netloc=f"{address}:{port}"))


async def _listen(urls: Sequence[str], address: str) -> list[asyncio.Server]:
    return [await _way_to(url, address) for url in urls]


async def _way_to(url: str, address: str) -> asyncio.Server:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(parts.hostname, port)
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
