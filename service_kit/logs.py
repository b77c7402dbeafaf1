"""Logs: one JSON object a line on standard output, with the correlation id of the request.

What a log line holds is named where it is written; headers, bodies and settings never are, so that
no secret gets in.
"""

import json
import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO, cast

import orjson
import structlog
from structlog.types import EventDict, WrappedLogger

from service_kit import correlation
from service_kit.settings import published_secrets


def configure(service: str, level: str) -> None:
    """Send the logs of the process, and those of its libraries, to standard output."""

    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[Any] = [
        add_service,
        add_correlation_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_serialize)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", _Output(sys.stdout.buffer))),
        cache_logger_on_first_use=True,
    )
    _capture_libraries(shared, level)


def warn_of_published_secrets(variables: Mapping[str, str]) -> None:
    """Say at the start that the secrets are those of the `.env.example` files, if they are."""
    if names := published_secrets(variables):
        structlog.get_logger().warning(
            "running with published example secrets: for this machine only", variables=names
        )


def add_correlation_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put the running request's id on the line."""
    if correlation_id := correlation.current.get():
        event.setdefault("correlation_id", correlation_id)
    return event


def _capture_libraries(shared: list[Any], level: str) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_serialize_text),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.getLevelNamesMapping()[level], logging.WARNING))


class _Output:
    """Standard output, as far as it takes a line.

    A worker whose supervisor was killed has nobody at the other end; a disk may be full. Requests
    go on without their lines.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, line: bytes) -> None:
        """Write a line."""
        with suppress(OSError):
            self._file.write(line)

    def flush(self) -> None:
        """Send what was written on its way."""
        with suppress(OSError):
            self._file.flush()


def _serialize(event: Any, **_options: Any) -> bytes:
    # repr escapes what JSON cannot hold: a log line must not fail because of what it reports.
    try:
        return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # half of a surrogate pair, or an integer of more than 64 bits
        return json.dumps(event, default=repr).encode()


def _serialize_text(event: Any, **options: Any) -> str:
    return _serialize(event, **options).decode()
