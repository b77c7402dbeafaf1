"""The Lambda's entry point: ``python -m awslambdaric orchestrator_image.app.handler``.

What can be made before an event comes is made at init, on import; what touches the network is
made by the first invocation.
"""

import os
from typing import Any

import structlog

from orchestrator_image import marshalling
from orchestrator_image.function import Function
from orchestrator_image.settings import load
from service_kit import logs
from service_kit.settings import SettingsError

SERVICE = "orchestrator"


def handler(event: Any, context: Any) -> Any:
    """Answer an event; never raises."""
    return _function.invoke(event, context)


def _start() -> Function:
    try:
        settings = load(os.environ)
    except SettingsError as error:
        logs.configure(SERVICE, "INFO")
        structlog.get_logger().critical("settings are wrong", mistakes=error.mistakes)
        raise
    # Takes the place of the handler that the runtime gave to the root logger: no line comes twice.
    logs.configure(SERVICE, settings.log_level)
    logs.warn_of_published_secrets(os.environ)
    marshalling.install()
    return Function(settings)


_function = _start()
