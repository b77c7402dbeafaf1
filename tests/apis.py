"""Clients for tests: an API as its users see it, over HTTP."""

import json
import time
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import jwt
from multidict import MultiMapping

from tests import promises

JWT_SECRET = "a-secret-of-the-tests-with-32-bytes-or-more"
JWT_ISSUER = "tests"
JWT_AUDIENCE = "tests-api"
SERVICE_TOKEN = "a-service-token-of-the-tests"
JWT_VARIABLES = {
    "JWT_SECRET": JWT_SECRET,
    "JWT_ISSUER": JWT_ISSUER,
    "JWT_AUDIENCE": JWT_AUDIENCE,
}


def token(
    role: str | None = "operator",
    *,
    secret: str = JWT_SECRET,
    algorithm: str = "HS256",
    without: str = "",
    **claims: Any,
) -> str:
    """Return a JWT as an operator has it, or one with something wrong."""
    values = {
        "sub": "tester",
        "iss": JWT_ISSUER,
        "aud": JWT_AUDIENCE,
        "exp": int(time.time()) + 86400,
        "role": role,
        **claims,
    }
    values.pop(without, None)
    if role is None:
        del values["role"]
    return jwt.encode(values, secret if algorithm != "none" else "", algorithm=algorithm)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: MultiMapping[str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The stable code of a problem; its shape is checked on the way."""
        problem = self.json
        assert self.headers["Content-Type"] == "application/problem+json"
        assert problem["status"] == self.status
        assert {"type", "title", "detail", "correlation_id"} <= problem.keys()
        assert problem["correlation_id"] == self.headers["X-Correlation-Id"]
        return str(problem["code"])


@dataclass(frozen=True, slots=True)
class Api:
    """One API, called as an operator unless something else is asked for.

    With the ``document`` that describes it, every answer is held against that.
    """

    session: aiohttp.ClientSession
    base_url: str
    token: str | None = field(default_factory=token, repr=False)
    document: str | None = None

    def called_with(self, credential: str | None) -> "Api":
        """Return the same API with another bearer token, or none."""
        return replace(self, token=credential)

    async def call(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        data: bytes | None = None,
        **headers: str,
    ) -> Answer:
        """Send a JSON value (or raw data); a header's name has _ for -."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if value is not None:
            data = json.dumps(value).encode()
            sent.setdefault("Content-Type", "application/json")
        async with self.session.request(
            method,
            self.base_url + path,
            data=data,
            headers=sent,
            allow_redirects=False,
            skip_auto_headers=["Content-Type"],
        ) as response:
            answer = Answer(response.status, response.headers, await response.read())
        if self.document is not None:
            promised = promises.of(self.document)
            path = response.request_info.url.path
            promised.check(method, path, answer.status, answer.headers, answer.body)
        return answer

    async def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return await self.call("GET", path, data=None, **headers)

    async def post(self, path: str, value: Any = None, **headers: str) -> Answer:
        """POST."""
        return await self.call("POST", path, value, data=None, **headers)

    async def pages(self, path: str) -> list[Any]:
        """Follow a list's cursors to its end; return all rows."""
        rows: list[Any] = []
        cursor = ""
        while True:
            answer = await self.get(path + cursor)
            assert answer.status == 200, answer.body
            rows += answer.json["data"]
            if answer.json["next_cursor"] is None:
                return rows
            cursor = f"&cursor={answer.json['next_cursor']}"
