"""``python -m gateway``: serve until told to stop; always one process, which owns the emulators."""

import functools
import os

from gateway.app import NAME, open_application
from gateway.settings import load
from service_kit.serving import Service, main


def _service() -> Service:
    settings = load(os.environ)
    return Service(NAME, settings.serving, functools.partial(open_application, settings))


if __name__ == "__main__":
    main(NAME, _service, may_have_workers=False)
