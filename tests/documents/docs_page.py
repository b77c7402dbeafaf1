"""The page as a person uses it, and a record of what the browser did meanwhile."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect

# What is expected of the page comes about in time, also on a machine that has much else to do.
expect.set_options(timeout=30_000)


@dataclass
class Watch:
    """All requests that a browser's pages made, and all that stands on their console."""

    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        """Watch all pages of a context."""
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", lambda message: self.console.append(message.text))
        context.on("weberror", lambda error: self.console.append(str(error.error)))

    def elsewhere(self, origin: str) -> list[str]:
        """Return the requests that left the origin, as a picture in a style sheet does not."""
        return [url for url in self.requests if not url.startswith((f"{origin}/", "data:"))]


@dataclass(frozen=True, slots=True)
class Shown:
    """A response as the page shows it; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the page, open."""

    block: Locator

    def field(self, name: str) -> Locator:
        """Return the field of a parameter."""
        return self.block.locator(f'tr[data-param-name="{name}"] input')

    @property
    def body(self) -> Locator:
        """The field of the body."""
        return self.block.locator("textarea.body-param__text")

    def execute(self, value: Any = None) -> Shown:
        """Press "Execute", with a JSON value as the body, and return what the page shows."""
        if value is not None:
            self.body.fill(json.dumps(value))
        page = self.block.page
        with page.expect_response(
            lambda response: response.request.resource_type == "fetch"
        ) as got:
            self.block.get_by_role("button", name="Execute").click()
        shown = self.block.locator(".live-responses-table tbody tr.response")
        # Each response has an id of its own: this one is shown, and no earlier one.
        expect(shown).to_contain_text(got.value.headers["x-correlation-id"])
        lines = shown.locator(".headerline").all_text_contents()
        headers = (line.strip().partition(": ") for line in lines)
        return Shown(
            status=int(shown.locator(".response-col_status").inner_text().split()[0]),
            headers={name: value for name, _, value in headers},
            body=shown.locator(".highlight-code pre").inner_text(),
        )


@dataclass(frozen=True, slots=True)
class DocsPage:
    """The page of one service, in a tab of its own."""

    page: Page
    base_url: str
    watch: Watch

    def open(self, path: str = "/docs") -> None:
        """Go there, and wait for the operations."""
        self.page.goto(self.base_url + path)
        expect(self.page.locator(".opblock").first).to_be_visible()

    def authorise(self, scheme: str, token: str) -> None:
        """Paste a token into the dialog, as one of these callers."""
        self.page.get_by_role("button", name="Authorize").first.click()
        dialog = self.page.locator(".dialog-ux")
        section = dialog.locator(
            ".auth-container", has=self.page.locator(f'h4:has-text("{scheme}")')
        )
        section.locator("input").fill(token)
        section.locator("input").press("Enter")
        expect(section).to_contain_text("Authorized")
        dialog.locator(".close-modal").click()

    def block(self, method: str, path: str) -> Locator:
        """Return the operation's part of the page."""
        return self.page.locator(
            f".opblock-{method}", has=self.page.locator(f'[data-path="{path}"]')
        )

    def operation(self, method: str, path: str) -> Operation:
        """Open an operation."""
        block = self.block(method, path)
        block.locator(".opblock-summary-control").click()
        expect(block.get_by_role("button", name="Execute")).to_be_visible()
        return Operation(block)

    def disturbances(self) -> list[str]:
        """Return all that should not have been: requests elsewhere, lines on the console."""
        return [*self.watch.elsewhere(self.base_url), *self.watch.console]
