"""What the model is asked, and how its answer is compared with the system's."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.apis import Answer

OPERATOR, VIEWER, SERVICE, NOBODY = "operator", "viewer", "service", "nobody"

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``caller`` says whose credential it carries."""

    method: str
    path: str
    value: Any = None
    key: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    caller: str = OPERATOR

    @property
    def headers(self) -> dict[str, str]:
        """The headers that matter, with _ for -."""
        named = {
            "X_Idempotency_Key": self.key,
            "If_Match": self.if_match,
            "If_None_Match": self.if_none_match,
        }
        return {name: text for name, text in named.items() if text is not None}


UNSEEN = "a moment that no answer has told yet"


@dataclass(slots=True)
class Resource:
    """Something with an ETag: as it is shown, and all tags that it has had."""

    document: dict[str, Any]
    etags: list[str] = field(default_factory=list)
    is_changed: bool = True
    """Whether it has changed since its tag was last seen."""

    def changed(self, **members: Any) -> None:
        """Change it; its tag must be another from now on."""
        self.document = {**self.document, **members}
        self.is_changed = True

    def shown(self, answered: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document; moments that no answer has told yet are learned from this one."""
        for name, value in self.document.items():
            if value is UNSEEN:
                moment = str(answered.get(name))
                assert _MOMENT.fullmatch(moment), answered
                self.document[name] = moment
        return self.document

    def check_etag(self, etag: str) -> None:
        """Hold a tag against those that were seen."""
        if self.is_changed:
            assert etag not in self.etags, f"{self.document}: {etag} again, of {self.etags}"
            self.etags.append(etag)
            self.is_changed = False
        assert etag == self.etags[-1], f"{self.document}: {etag}, it was {self.etags[-1]}"


@dataclass(frozen=True, slots=True)
class Expected:
    """What the model answers: a document, a refusal (``code``), or the same bytes again."""

    status: int
    document: Any = None
    code: str | None = None
    errors: list[dict[str, Any]] | None = None
    body: bytes | None = None
    resource: Resource | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    """None: must not be there."""

    def check(self, answer: Answer) -> None:
        """Fail if the system answered otherwise."""
        told = f"{answer.status} {answer.body!r} {dict(answer.headers)}"
        assert answer.status == self.status, f"expected {self}, answered {told}"
        for name, text in self.headers.items():
            assert answer.headers.get(name) == text, f"expected {name}: {text}, answered {told}"
        if self.code is not None:
            self._check_refusal(answer)
        elif self.body is not None:
            assert answer.body == self.body, f"expected {self.body!r}, answered {told}"
        elif self.document is None:
            assert answer.body == b"", told
        else:
            assert answer.json == self.document, f"expected {self.document}, answered {told}"
        if self.resource is not None:
            self.resource.check_etag(answer.headers["ETag"])

    def _check_refusal(self, answer: Answer) -> None:
        failure = answer.json
        if "success" in failure:
            assert failure["success"] is False
            assert failure["correlationId"] == answer.headers["X-Correlation-Id"]
            failure = failure["error"]
            code, errors = failure["code"], failure.get("errors")
        else:
            code, errors = answer.code, failure.get("errors")
        assert code == self.code, f"expected {self}, answered {answer}"
        assert self.errors is None or errors == self.errors, f"expected {self}, answered {answer}"


@dataclass(slots=True)
class Sight:
    """What only the system can decide, ids and moments, read out of what it answered."""

    answer: Answer
    latest: str = ""
    """The latest moment that the system has told so far."""

    @property
    def document(self) -> dict[str, Any]:
        """The answer's object; an orchestration's order."""
        try:
            value = json.loads(self.answer.body)
        except ValueError:
            return {}
        if not isinstance(value, dict):
            return {}
        return value["data"]["order"] if value.get("success") else value

    def new_id(self, known: Mapping[int, object]) -> int:
        """Return the id of something new."""
        number = self.document.get("id")
        assert isinstance(number, int), f"no id of something new: {self.answer}"
        assert number > max(known, default=0), f"{number} is no new id: {self.answer}"
        return number

    def moment(self, name: str) -> str:
        """Return a moment at which something happened just now: time never runs back."""
        text = self.document.get(name)
        assert isinstance(text, str), f"no moment {name}: {self.answer}"
        assert _MOMENT.fullmatch(text), text
        assert text >= self.latest, f"{name} is before {self.latest}: {self.answer}"
        self.latest = text
        return text


def refusal(status: int, code: str, errors: list[dict[str, Any]] | None = None) -> Expected:
    """Return the answer to what is not done."""
    challenge = "Bearer" if status == 401 else None
    return Expected(
        status,
        code=code,
        errors=errors,
        headers={
            "WWW-Authenticate": challenge,
            "Retry-After": None,
            "Location": None,
            "ETag": None,
            "Idempotent-Replayed": None,
        },
    )
