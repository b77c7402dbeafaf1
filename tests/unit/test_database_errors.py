"""What is read from the words of the database's errors."""

import pytest

from service_kit.database_errors import Duplicate


@pytest.mark.parametrize(
    "message",
    [
        "Duplicate entry 'a@acme.com' for key 'customers_live_email'",
        "Duplicate entry 'a@acme.com' for key 'customers.customers_live_email'",
        "Duplicate entry 'o'hara@acme.com' for key 'customers_live_email'",
        "Duplicate entry 'x' for key 'y' for key 'customers.customers_live_email'",
        "Duplicate entry 'a.b'.c' for key 'customers_live_email'",
        "Duplicate entry '' for key 'customers_live_email'",
        "Entrada duplicada 'a' para la clave 'customers_live_email'",
    ],
)
def test_a_duplicate_names_its_key_whatever_the_entry_is(message: str) -> None:
    assert Duplicate(message).key == "customers_live_email"


def test_a_message_without_a_key_names_none() -> None:
    assert Duplicate("Duplicate entry").key == ""
