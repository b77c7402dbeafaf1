"""What the clients of a run wanted, what they sent, and what they were told, attempt by attempt."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.apis import Answer


class Kind:
    """What a client may want."""

    ORDER = "order"
    ORDER_WITHOUT_KEY = "order without key"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    ORCHESTRATION = "orchestration"
    STOCK = "stock"
    PRICE = "price"
    PRODUCT = "product"
    CUSTOMER = "customer"
    CHANGE_OF_CUSTOMER = "change of customer"
    END_OF_CUSTOMER = "end of customer"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request: its answer (None: none came), and when, by the monotonic clock."""

    answer: Answer | None
    began: float
    ended: float
    error: str = ""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began

    @property
    def is_definite(self) -> bool:
        """Whether the client knows what became of it."""
        return self.answer is not None and self.answer.status < 500


@dataclass(slots=True)
class Deed:
    """One thing that a client wanted: repeated under its key, if it has one, until it is decided.

    ``about`` is what it was done to: a product, an order, a customer; 0 if there was none before.
    """

    kind: str
    value: Any
    key: str | None = None
    about: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    is_unknowable: bool = False
    """Whether its client has no means to learn what became of it."""
    is_found: bool = False
    """Whether its client was not told that it took place, and found that it did."""

    @property
    def last(self) -> Answer | None:
        """What the client was told in the end."""
        return self.attempts[-1].answer if self.attempts else None

    @property
    def is_decided(self) -> bool:
        """Whether the client knows what became of it."""
        return bool(self.attempts) and self.attempts[-1].is_definite

    @property
    def is_done(self) -> bool:
        """Whether the client knows that it took place."""
        answer = self.last
        return self.is_found or (answer is not None and answer.status < 300)

    @property
    def is_refused(self) -> bool:
        """Whether the client was told that it did not take place."""
        return self.is_decided and not self.is_done

    @property
    def was_in_doubt(self) -> bool:
        """Whether an attempt was not answered, or with 503 or 504."""
        return any(not attempt.is_definite for attempt in self.attempts)


@dataclass(slots=True)
class Ledger:
    """All deeds of a run."""

    deeds: list[Deed] = field(default_factory=list)
    initial_stock: dict[int, int] = field(default_factory=dict)
    prices: dict[int, set[int]] = field(default_factory=dict)
    """All prices that a product may ever have had."""
    violations: list[str] = field(default_factory=list)
    """What clients saw that must not be."""

    def open(self, kind: str, value: Any, key: str | None = None, about: int = 0) -> Deed:
        """Note down what is wanted, before anything is sent."""
        deed = Deed(kind, value, key, about)
        self.deeds.append(deed)
        return deed

    def of(self, *kinds: str) -> list[Deed]:
        """Return the deeds of these kinds."""
        return [deed for deed in self.deeds if deed.kind in kinds]

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return sum(len(deed.attempts) for deed in self.deeds)

    def told(self) -> Counter[str]:
        """Count what came back: statuses, and "none" for no answer."""
        return Counter(
            str(attempt.answer.status) if attempt.answer else f"none ({attempt.error})"
            for deed in self.deeds
            for attempt in deed.attempts
        )

    def slowest(self) -> tuple[float, str]:
        """Return the seconds of the slowest attempt, and which it was."""
        attempts = (
            (one.seconds, f"{deed.kind} {deed.key or deed.about}: {one.answer or one.error}")
            for deed in self.deeds
            for one in deed.attempts
        )
        return max(attempts, default=(0.0, "none"))
