"""What lists show, by the model: the rows of one run, newest first, filtered and paged."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from tests.model.exchanges import Resource
from tests.model.reference import Model


def customers(model: Model, search: str) -> list[Resource]:
    """Return the customers that a search finds."""
    living = (one for number, one in model.customers.rows.items() if model.customers.living(number))
    return [one for one in _newest_first(living) if _is_found(search, _customer_text(one))]


def products(model: Model, search: str) -> list[Resource]:
    """Return the products that a search finds."""
    rows = _newest_first(model.products.rows.values())
    return [one for one in rows if _is_found(search, "{sku} {name}".format(**one.document))]


def orders(model: Model, chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the orders that fit filters as the API has them, without their items."""
    shown = (
        {name: value for name, value in one.document.items() if name != "items"}
        for one in model.orders.rows.values()
    )
    fitting = [
        row
        for row in shown
        if row["customer_id"] == chosen["customer_id"]
        and chosen.get("status", row["status"]) == row["status"]
        and chosen.get("from", "") <= row["created_at"]
        and ("to" not in chosen or row["created_at"] < chosen["to"])
    ]
    return sorted(fitting, key=lambda row: (row["created_at"], row["id"]), reverse=True)


def _newest_first(resources: Iterable[Resource]) -> list[Resource]:
    return sorted(resources, key=lambda one: int(one.document["id"]), reverse=True)


def _customer_text(customer: Resource) -> str:
    phone = customer.document["phone"] or ""
    digits = re.sub(r"\D", "", phone)
    return f"{customer.document['name']} {customer.document['email']} {phone} {digits}"


def _is_found(search: str, text: str) -> bool:
    there = _words(text)
    asked = _words(search)
    return all(any(word.startswith(begin) for word in there) for begin in asked)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFD", text.casefold())
    return re.findall(r"[^\W_]+", re.sub(r"[\u0300-\u036f]", "", plain))
