"""The floor of a request: what Tornado takes to say hello, without anything of ours.

python -m benchmark.hello PORT
"""

import asyncio
import sys

import uvloop
from tornado.web import Application, RequestHandler


class HelloHandler(RequestHandler):
    """Tornado's own first example."""

    def get(self) -> None:
        """Say it."""
        self.write("Hello, world")


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    Application([("/", HelloHandler)]).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
