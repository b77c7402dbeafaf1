"""``python -m orders_api``: serve until told to stop."""

import functools
import os

from orders_api.app import NAME, open_application
from orders_api.settings import load
from service_kit.serving import Service, main


def _service() -> Service:
    settings = load(os.environ)
    return Service(NAME, settings.serving, functools.partial(open_application, settings))


if __name__ == "__main__":
    main(NAME, _service)
