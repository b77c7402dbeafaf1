"""How a node of the test's cluster catches up: by the write-sets that it missed, and by them alone.

The server starts this program on the joining node, and on the one that gives (wsrep_sst_*). A whole
copy of the data would take a tool of its own and is never needed here: nodes begin as copies of one
another, and what one misses lies in the others' caches. Only the libraries of Python are used.
"""

import socket
import sys

WAIT_SECONDS = 60


def option(name: str) -> str:
    """Return what follows an argument of this name."""
    return sys.argv[sys.argv.index(name) + 1]


def join() -> None:
    """Say where one waits, and then which state was told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WAIT_SECONDS)
        print(f"ready 127.0.0.1:{server.getsockname()[1]}/ist", flush=True)
        giver, _ = server.accept()
        with giver, giver.makefile() as lines:
            print(lines.readline().strip(), flush=True)


def give() -> None:
    """Tell the joining node the state from which it gets write-sets."""
    if "--bypass" not in sys.argv:
        sys.exit("what is missing is no longer in the cache")
    port = option("--address").partition("/")[0].rpartition(":")[2]
    with socket.create_connection(("127.0.0.1", int(port)), WAIT_SECONDS) as joiner:
        joiner.sendall(f"{option('--gtid')}\n".encode())
    print(f"done {option('--gtid')}", flush=True)


if __name__ == "__main__":
    join() if option("--role") == "joiner" else give()
