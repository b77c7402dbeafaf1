"""Whatever a path looks like, what is internal stays so."""

import pytest

from tests.apis import Api
from tests.integration.gateway_calls import System, raw, raw_request


@pytest.mark.parametrize(
    "target",
    [
        "/internal/customers/1",
        "/internal",
        "//internal/customers/1",
        "/Internal/customers/1",
        "/%69nternal/customers/1",
        "/customers/../internal/customers/1",
        "/customers/./../internal/customers/1",
        "/customers/%2e%2e/internal/customers/1",
        "/customers/%2E%2E/internal/customers/1",
        "/customers/.%2e/internal/customers/1",
        "/customers/%252e%252e/internal/customers/1",
        "/customers/..%2finternal%2fcustomers%2f1",
        "/customers/..%5cinternal%5ccustomers%5c1",
        "/customers/..\\internal\\customers\\1",
        "/customers\\..\\internal\\customers\\1",
        "/customers/..;/internal/customers/1",
        "/customers;/../internal/customers/1",
        "/customers;x=1",
        "/customers/1;x=1",
        "/customers/.../1",
        "/customers/.",
        "/customers/..",
        "/customers/",
        "/customers//1",
        "//customers/1",
        "/customers/1/",
        "/customers/%31",
        "/customers%2f1",
        "/customers/1%00",
        "/customers/1%0d%0aX-Evil:1",
        "/customers/\xc3\xa9",
        "/customers/a@b",
        "/customers/a:b",
        "/customers/1#/../internal",
        "/customersx",
        "/customer",
        "/CUSTOMERS",
        "/orders/../internal/customers/1",
        "/products/..%2f..%2finternal/customers/1",
        "http://shop.example/internal/customers/1",
        "http://shop.example/customers/1",
        "http:/customers/1",
        "*",
        "customers/1",
    ],
)
async def test_a_path_that_is_not_plain_is_not_found(
    gateway: Api, system: System, target: str
) -> None:
    reply = await raw_request(gateway, f"GET {target} HTTP/1.1")

    assert reply.startswith(b"HTTP/1.1 404 ")
    assert b'"code":"NOT_FOUND"' in reply
    assert b"application/problem+json" in reply
    assert not system.customers.received
    assert not system.orders.received


@pytest.mark.parametrize("path", ["/customers/a.b-c_d~e", "/customers/..a", "/customers/1/2/3"])
async def test_a_plain_path_is_for_the_service_to_judge(
    gateway: Api, system: System, path: str
) -> None:
    await raw_request(gateway, f"GET {path} HTTP/1.1")

    assert system.customers.last.target == path


async def test_a_second_request_hidden_in_a_body_stays_a_body(gateway: Api, system: System) -> None:
    hidden = b"GET /internal/customers/1 HTTP/1.1\r\nHost: x\r\n\r\n"

    await raw_request(gateway, "POST /customers HTTP/1.1", body=hidden)

    assert [request.body for request in system.customers.received] == [hidden]


async def test_two_accounts_of_a_bodys_length_are_refused(gateway: Api, system: System) -> None:
    reply = await raw(
        gateway,
        b"POST /customers HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /internal/customers/1 HTTP/1.1\r\n\r\n",
    )

    assert not reply.startswith(b"HTTP/1.1 2")
    assert not system.customers.received
