"""Who is calling: operators by JWT, services by a shared token."""

import hmac
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import jwt
from jwt.types import Options

from service_kit.problems import Forbidden, Unauthorized
from service_kit.settings import JwtSettings

ALGORITHM = "HS256"
MOST_KNOWN = 1000
"""Tokens whose signature is not computed again: a verified token stays so until it expires."""
_OPTIONS: Options = {
    "require": ["exp", "sub", "iss", "aud"],
    # "iat" informs, it does not restrict (RFC 7519, section 4.1.6): a clock that is a second ahead
    # where tokens are made must not lock its operators out.
    "verify_iat": False,
    # Checked below, to the fraction of a second; the library cuts it off.
    "verify_exp": False,
}


class Role(Enum):
    """What a caller may do."""

    OPERATOR = "operator"
    VIEWER = "viewer"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller: the token's subject and its role."""

    subject: str
    role: Role


class OperatorTokens:
    """Signs and verifies operators' JWTs with the pinned algorithm (RFC 8725, section 3.1)."""

    def __init__(self, settings: JwtSettings) -> None:
        self._settings = settings
        self._known: dict[str, tuple[Caller, float]] = {}

    def issue(self, subject: str, role: Role, lifetime_seconds: int) -> str:
        """Sign a token with the first secret."""
        now = int(time.time())
        claims = {
            "sub": subject,
            "role": role.value,
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "iat": now,
            "exp": now + lifetime_seconds,
        }
        return jwt.encode(claims, self._settings.secrets[0], algorithm=ALGORITHM)

    def verify(self, token: str) -> Caller:
        """Return the caller that a token names.

        Raises:
            Unauthorized: no secret verifies it, it has expired, or a claim is missing or another.
            Forbidden: it is sound, but its role is none of ours.
        """
        caller, expires = self._known.get(token) or self._read(token)
        if not time.time() < expires:
            raise Unauthorized("The bearer token has expired.")
        return caller

    def _read(self, token: str) -> tuple[Caller, float]:
        """Return the caller and the moment at which the token expires, and know both from now on.

        Raises:
            Unauthorized, Forbidden: as `verify`.
        """
        claims = self._signed_claims(token)
        expires = claims["exp"]
        if isinstance(expires, bool) or not isinstance(expires, (int, float)):
            raise Unauthorized("The bearer token is not valid.")
        if not time.time() < expires < math.inf:  # nor is it NaN
            raise Unauthorized("The bearer token has expired.")
        role = claims.get("role")
        if role not in (Role.OPERATOR.value, Role.VIEWER.value):
            raise Forbidden("The token's role is neither operator nor viewer.")
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[token] = Caller(str(claims["sub"]), Role(role)), expires
        return self._known[token]

    def _signed_claims(self, token: str) -> dict[str, object]:
        for secret in self._settings.secrets:
            try:
                return jwt.decode(
                    token,
                    secret,
                    algorithms=[ALGORITHM],
                    issuer=self._settings.issuer,
                    audience=self._settings.audience,
                    leeway=0,
                    options=_OPTIONS,
                )
            except jwt.InvalidSignatureError:
                continue
            except (jwt.PyJWTError, ValueError, TypeError):
                break
        raise Unauthorized("The bearer token is not valid.")


class ServiceTokens:
    """The tokens by which services know each other: the first is sent, all are accepted."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = [token.encode() for token in tokens]
        self.authorization = f"Bearer {tokens[0]}" if tokens else ""

    def accepts(self, token: str) -> bool:
        """Compare with every token, in a time that tells nothing about them."""
        candidate = token.encode("utf-8", "surrogatepass")
        matches = [hmac.compare_digest(candidate, own) for own in self._tokens]
        return any(matches)


class Authenticator:
    """Turns an ``Authorization`` header into a caller."""

    def __init__(self, operators: OperatorTokens, services: ServiceTokens) -> None:
        self._operators = operators
        self._services = services

    def identify(self, authorization: str | None) -> Caller:
        """Return the caller.

        Raises:
            Unauthorized: there is no bearer token, or a bad one.
            Forbidden: an operator's token without a role of ours.
        """
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("A bearer token is required.")
        if self._services.accepts(token):
            return Caller("service", Role.SERVICE)
        return self._operators.verify(token)
