"""Settings: environment variables in, frozen values out, all mistakes reported together.

A service's ``settings.py`` reads each variable through an `Environment` and calls `check` at the
end; a mistaken variable gives a harmless stand-in until then.
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

_T = TypeVar("_T")

MINIMUM_SECRET_BYTES = 32
"""HS256 wants a key of at least the hash's size (RFC 7518, section 3.2)."""

EXAMPLE_MARK = "local-only-example"
"""With it begins every secret of the `.env.example` files: published, they keep nobody out."""

PRODUCTION = "production"


class SettingsError(Exception):
    """The environment is wrong; ``mistakes`` has one line for each variable."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join(["the settings are wrong:", *self.mistakes]))


@dataclass(frozen=True, slots=True)
class JwtSettings:
    """How operators' tokens are signed: the first secret signs, all verify."""

    secrets: tuple[str, ...] = field(repr=False)
    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """How a service listens and logs."""

    address: str
    port: int
    log_level: str
    access_log: bool


def published_secrets(variables: Mapping[str, str]) -> list[str]:
    """Return the names of the variables that hold a secret of a `.env.example` file."""
    return sorted(name for name, value in variables.items() if EXAMPLE_MARK in value)


class Environment:
    """Reads variables and remembers what is wrong with them."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._mistakes: list[str] = []

    def check(self) -> None:
        """Report all mistakes; in production a published secret is one.

        Raises:
            SettingsError: at least one variable is missing or wrong.
        """
        if self.choice("ENVIRONMENT", "development", ("development", PRODUCTION)) == PRODUCTION:
            for name in published_secrets(self._variables):
                self._mistake(name, "is the published example, which everybody knows", None)
        if self._mistakes:
            raise SettingsError(self._mistakes)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; an empty or missing one without default is a mistake."""
        value = self._variables.get(name, "").strip()
        if value:
            return value
        if default is None:
            return self._mistake(name, "is required", "")
        return default

    def file(self, name: str) -> str | None:
        """Return the path of a readable file of certificates (PEM); None if none is named."""
        path = self.text(name, "")
        if not path:
            return None
        try:
            ssl.create_default_context(cafile=path)
        except OSError:  # ssl.SSLError is one
            return self._mistake(name, "must be a readable file of certificates in PEM", None)
        return path

    def number(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        """Return an integer within the bounds."""
        text = self.text(name, str(default))
        if text.isascii() and text.isdigit() and minimum <= int(text) <= maximum:
            return int(text)
        return self._mistake(name, f"must be a number from {minimum} to {maximum}", default)

    def number_or_off(self, name: str, default: int, *, minimum: int, maximum: int) -> int | None:
        """Return an integer within the bounds; None for ``off``."""
        if self.text(name, str(default)) == "off":
            return None
        return self.number(name, default, minimum=minimum, maximum=maximum)

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """Return one of the choices."""
        text = self.text(name, default)
        if text in choices:
            return text
        return self._mistake(name, f"must be one of {', '.join(choices)}", default)

    def url(self, name: str) -> str:
        """Return an ``http`` or ``https`` base URL without a trailing slash."""
        text = self.text(name)
        return self._base_url(name, text) if text else text

    def urls(self, name: str) -> tuple[str, ...]:
        """Return one base URL or several, separated by commas."""
        return tuple(self._base_url(name, text) for text in self._several(name))

    def secrets(self, name: str, *, minimum_bytes: int = 1) -> tuple[str, ...]:
        """Return one secret or several, separated by commas."""
        secrets = self._several(name)
        for secret in secrets:
            if len(secret.encode()) < minimum_bytes:
                self._mistake(name, f"each secret must have {minimum_bytes} bytes at least", None)
        return secrets

    def jwt(self) -> JwtSettings:
        """Return the settings of operators' tokens."""
        return JwtSettings(
            secrets=self.secrets("JWT_SECRET", minimum_bytes=MINIMUM_SECRET_BYTES),
            issuer=self.text("JWT_ISSUER"),
            audience=self.text("JWT_AUDIENCE"),
        )

    def serving(self, port_name: str, default_port: int) -> ServingSettings:
        """Return how the service listens and logs."""
        return ServingSettings(
            address=self.text("BIND_ADDRESS", "127.0.0.1"),
            port=self.number(port_name, default_port, minimum=1, maximum=65535),
            log_level=self.log_level(),
            access_log=self.choice("ACCESS_LOG", "on", ("on", "off")) == "on",
        )

    def log_level(self) -> str:
        """Return the least level that is logged."""
        return self.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))

    def _several(self, name: str) -> tuple[str, ...]:
        values = tuple(part.strip() for part in self.text(name).split(","))
        if self._variables.get(name, "").strip() and not all(values):
            self._mistake(name, "has an empty value between its commas", None)
        return tuple(filter(None, values))

    def _base_url(self, name: str, text: str) -> str:
        try:
            parts = urlsplit(text)
            sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            sound = False
        if not sound or parts.query or parts.fragment:
            return self._mistake(name, "must be an http or https URL", text)
        return text.rstrip("/")

    def _mistake(self, name: str, what: str, stand_in: _T) -> _T:
        self._mistakes.append(f"{name} {what}")
        return stand_in
