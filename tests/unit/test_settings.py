from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import customers_api.settings
import orders_api.settings
from service_kit.database_driver import DatabaseSettings
from service_kit.settings import Environment, SettingsError

SECRET = "a-signing-secret-of-32-bytes-or-more"
CUSTOMERS = {
    "JWT_SECRET": SECRET,
    "JWT_ISSUER": "issuer",
    "JWT_AUDIENCE": "audience",
    "SERVICE_TOKEN": "a-service-token",
    "MYSQL_HOST": "db",
    "MYSQL_DATABASE": "backoffice",
    "MYSQL_USER": "somebody",
    "MYSQL_PASSWORD": "a-database-password",
}
ORDERS = {**CUSTOMERS, "CUSTOMERS_API_BASE": "http://customers:3001"}
SERVICES = [
    pytest.param(customers_api.settings.load, CUSTOMERS, id="customers"),
    pytest.param(orders_api.settings.load, ORDERS, id="orders"),
]

Load = Callable[[dict[str, str]], Any]


def mistakes_of(load: Load, variables: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refusal:
        load(variables)
    return refusal.value.mistakes


@pytest.mark.parametrize(("load", "variables"), SERVICES)
def test_a_service_starts_with_the_least_and_takes_defaults_for_the_rest(
    load: Load, variables: dict[str, str]
) -> None:
    settings = load(variables)

    assert settings.serving.address == "127.0.0.1"
    assert settings.serving.log_level == "INFO"
    assert settings.serving.access_log
    assert (settings.database.port, settings.database.pool_size) == (3306, 10)
    assert not settings.database.tls


def test_each_service_has_the_port_and_the_times_of_the_contract() -> None:
    customers, orders = customers_api.settings.load(CUSTOMERS), orders_api.settings.load(ORDERS)

    assert (customers.serving.port, orders.serving.port) == (3001, 3002)
    assert (orders.cancel_window_seconds, orders.idempotency_ttl_seconds) == (600, 24 * 3600)


@pytest.mark.parametrize(("load", "variables"), SERVICES)
def test_every_missing_variable_is_reported_at_once(load: Load, variables: dict[str, str]) -> None:
    assert {line.split(" ", 1)[0] for line in mistakes_of(load, {})} == set(variables)


@pytest.mark.parametrize("value", ["", "  ", "\t"])
@pytest.mark.parametrize("name", CUSTOMERS)
def test_an_empty_variable_is_a_missing_one(name: str, value: str) -> None:
    assert mistakes_of(customers_api.settings.load, {**CUSTOMERS, name: value}) == [
        f"{name} is required"
    ]


def test_all_mistakes_are_reported_at_once_and_none_repeats_a_secret() -> None:
    short = "too-short"

    with pytest.raises(SettingsError) as refusal:
        orders_api.settings.load(
            {
                **ORDERS,
                "JWT_SECRET": short,
                "SERVICE_TOKEN": "half-a-token,,another-half",
                "MYSQL_PORT": "0",
                "MYSQL_TLS": "maybe",
                "LOG_LEVEL": "loud",
                "ACCESS_LOG": "yes",
                "ENVIRONMENT": "test",
                "ORDERS_PORT": "70000",
                "CUSTOMERS_API_BASE": "customers:3001",
                "CANCEL_WINDOW_SECONDS": "-1",
                "IDEMPOTENCY_TTL_SECONDS": "1.5",
                "MYSQL_POOL_SIZE": "many",
            }
        )

    assert len(refusal.value.mistakes) == 12
    for secret in (short, "half-a-token", "another-half", CUSTOMERS["MYSQL_PASSWORD"]):
        assert secret not in str(refusal.value)


@pytest.mark.parametrize(
    "secret", ["x" * 31, f"{SECRET},{'x' * 31}", f"{'x' * 31},{SECRET}", "é" * 15]
)
def test_a_signing_secret_of_less_than_32_bytes_is_refused(secret: str) -> None:
    assert mistakes_of(customers_api.settings.load, {**CUSTOMERS, "JWT_SECRET": secret}) == [
        "JWT_SECRET each secret must have 32 bytes at least"
    ]


@pytest.mark.parametrize(
    ("value", "secrets"),
    [
        (SECRET, (SECRET,)),
        ("é" * 16, ("é" * 16,)),
        (f" {SECRET} , {SECRET[::-1]} ", (SECRET, SECRET[::-1])),
    ],
)
def test_secrets_are_separated_by_commas(value: str, secrets: tuple[str, ...]) -> None:
    settings = customers_api.settings.load({**CUSTOMERS, "JWT_SECRET": value})

    assert settings.jwt.secrets == secrets


@pytest.mark.parametrize("name", ["JWT_SECRET", "SERVICE_TOKEN"])
@pytest.mark.parametrize("value", [f"{SECRET},", f",{SECRET}", f"{SECRET},,{SECRET}", ","])
def test_nothing_between_two_commas_is_a_mistake(name: str, value: str) -> None:
    # An empty token among those that are accepted would let everybody in.
    assert f"{name} has an empty value between its commas" in mistakes_of(
        customers_api.settings.load, {**CUSTOMERS, name: value}
    )


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://customers:3001", "http://customers:3001"),
        ("https://customers.example/", "https://customers.example"),
        ("http://127.0.0.1:3001/base/", "http://127.0.0.1:3001/base"),
        ("http://[::1]:3001", "http://[::1]:3001"),
    ],
)
def test_a_base_address_loses_its_last_slash(text: str, url: str) -> None:
    settings = orders_api.settings.load({**ORDERS, "CUSTOMERS_API_BASE": text})

    assert settings.customers_api_base == url


@pytest.mark.parametrize(
    "text",
    [
        "customers",
        "customers:3001",
        "//customers",
        "ftp://customers",
        "file:///etc/passwd",
        "http://",
        "http://:3001",
        "http://customers:0",
        "http://customers:65536",
        "http://customers:port",
        "http://[::1",
        "http://customers?x=1",
        "http://customers#part",
    ],
)
def test_what_is_no_base_address_is_refused(text: str) -> None:
    assert mistakes_of(orders_api.settings.load, {**ORDERS, "CUSTOMERS_API_BASE": text}) == [
        "CUSTOMERS_API_BASE must be an http or https URL"
    ]


def test_several_addresses_are_separated_by_commas() -> None:
    environment = Environment({"ENDPOINTS": "http://a:1, http://b:2/"})

    assert environment.urls("ENDPOINTS") == ("http://a:1", "http://b:2")
    environment.check()


@pytest.mark.parametrize("text", ["1", "65535", " 80 "])
def test_a_number_within_its_bounds_is_taken(text: str) -> None:
    environment = Environment({"PORT": text})

    assert environment.number("PORT", 3000, minimum=1, maximum=65535) == int(text)
    environment.check()


@pytest.mark.parametrize(
    "text", ["0", "65536", "-1", "+1", "1.0", "1e3", "\u0663", "x", "1 2", "0x10"]
)
def test_any_other_number_is_a_mistake(text: str) -> None:
    environment = Environment({"PORT": text})

    environment.number("PORT", 3000, minimum=1, maximum=65535)

    with pytest.raises(SettingsError, match="PORT must be a number from 1 to 65535"):
        environment.check()


def a_certificate() -> bytes:
    """Return a certificate that an authority has signed for itself, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2036, 1, 1, tzinfo=UTC),
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_the_database_is_read_with_tls_and_its_authority(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_bytes(a_certificate())
    environment = Environment(
        {
            **CUSTOMERS,
            "MYSQL_TLS": "required",
            "MYSQL_TLS_CA": str(authority),
            "MYSQL_PORT": "3307",
        }
    )

    settings = DatabaseSettings.read(environment)

    environment.check()
    assert (settings.tls, settings.tls_ca, settings.port) == (True, str(authority), 3307)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_an_authority_that_cannot_be_read_is_a_mistake(
    tmp_path: Path, content: bytes | None
) -> None:
    authority = tmp_path / "ca.pem"
    if content is not None:
        authority.write_bytes(content)
    environment = Environment({**CUSTOMERS, "MYSQL_TLS_CA": str(authority)})

    DatabaseSettings.read(environment)

    with pytest.raises(SettingsError, match="MYSQL_TLS_CA must be a readable file"):
        environment.check()


@pytest.mark.parametrize(("load", "variables"), SERVICES)
def test_settings_that_are_printed_show_no_secret(load: Load, variables: dict[str, str]) -> None:
    printed = repr(load(variables))

    for name in ("JWT_SECRET", "SERVICE_TOKEN", "MYSQL_PASSWORD"):
        assert variables[name] not in printed
