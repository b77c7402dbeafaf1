"""What a customer is, and by which words it is found. Pure: no I/O, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service_kit import versions
from service_kit.clock import rfc3339
from service_kit.search import words


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    """What an operator says of a customer."""

    name: str
    email: str
    phone: str | None

    @classmethod
    def from_input(cls, value: Mapping[str, Any]) -> "CustomerDetails":
        """Take them from a checked request: the e-mail in lower case, no phone as None."""
        return cls(value["name"], value["email"].lower(), value.get("phone"))

    def terms(self) -> list[str]:
        """Return the words that find the customer; a phone's digits together are one more."""
        phone = self.phone or ""
        digits = "".join(filter(str.isdigit, phone))
        return [*words(self.name), *words(self.email), *words(phone), *([digits] if digits else [])]


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer that is not deleted; moments are UTC without zone."""

    id: int
    details: CustomerDetails
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def etag(self) -> str:
        """Return the entity tag."""
        return versions.etag(self.version)

    def document(self) -> dict[str, Any]:
        """Return the customer as clients see it."""
        return {
            "id": self.id,
            "name": self.details.name,
            "email": self.details.email,
            "phone": self.details.phone,
            "created_at": rfc3339(self.created_at),
            "updated_at": rfc3339(self.updated_at),
        }
