"""``python -m service_kit.probe PORT_VARIABLE PATH``: exit with 0 if the service here answers 200.

The health check of a container, which has no curl: it asks the service beside it, on the port that
the environment names.
"""

import http.client
import os
import sys

TIMEOUT_SECONDS = 4.0


def answers(port: int, path: str) -> bool:
    """Say whether a GET of the path on this machine is answered with 200."""
    # No proxy of the environment is asked, as urllib would.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    _variable, _path = sys.argv[1:]
    sys.exit(not answers(int(os.environ[_variable]), _path))
