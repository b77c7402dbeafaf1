"""The one JSON encoder and decoder."""

import json
from typing import Any

import orjson

from service_kit.problems import InvalidJson


def encode(value: Any) -> bytes:
    """Write a value as compact UTF-8 JSON."""
    return _write(value, sort_names=False)


def decode(data: bytes | str) -> Any:
    """Read UTF-8 JSON (RFC 8259): NaN, Infinity, lone surrogates and broken UTF-8 are refused.

    Raises:
        InvalidJson: it is not JSON.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidJson(f"The body is not JSON: {_reason(data, error)}.") from None


def whole_numbers(value: Any) -> Any:
    """Return the value with every whole float as an integer: to JSON Schema, 1.0 is 1."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [whole_numbers(item) for item in value]
    if isinstance(value, dict):
        return {name: whole_numbers(item) for name, item in value.items()}
    return value


def canonical(value: Any) -> bytes:
    """Write a value of whole numbers such that equal JSON values give equal bytes."""
    return _write(value, sort_names=True)


def is_json(content_type: str) -> bool:
    """Tell whether a media type is JSON, or built on it (RFC 6839), in UTF-8."""
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [part[8:].strip('"') for part in parameters if part.startswith("charset=")]
    return (media_type == "application/json" or media_type.endswith("+json")) and all(
        charset in {"utf-8", "utf8"} for charset in charsets
    )


def _reason(data: bytes | str, error: orjson.JSONDecodeError) -> str:
    """Return what is wrong, for whoever sent it; orjson speaks of its own insides twice."""
    if not data.strip():
        return "it is empty"
    if "UTF-8" in error.msg:
        return "it is not UTF-8"
    return f"{error.msg}: line {error.lineno}, column {error.colno}"


def _write(value: Any, *, sort_names: bool) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_names else 0)
    except orjson.JSONEncodeError as error:
        if "64-bit" not in str(error):
            raise
        # A client may send an integer past 64 bits, and be told that nothing has it as its id.
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_names)
        return text.encode()
