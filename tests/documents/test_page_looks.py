"""The page can be read on wide and narrow windows; the README's picture is made here.

``PAGE_PICTURE=1 scripts/test tests/documents/test_page_looks.py`` writes docs/images/page.png anew.
"""

import os
from collections.abc import Callable

import pytest

from local_system.construction import ROOT
from local_system.system import LocalSystem
from tests.documents.conftest import WIDE, Open

WINDOWS = (WIDE, (768, 1024), (390, 844))
PICTURE = ROOT / "docs" / "images" / "page.png"


def test_nothing_has_to_be_scrolled_sideways(
    system: LocalSystem, open_page: Open, printed_token: Callable[..., str]
) -> None:
    page = open_page(system.gateway_url)
    page.authorise("operator", printed_token())
    page.operation("get", "/orders").execute()
    order = page.operation("post", "/orders")
    for schema in order.block.get_by_role("tab", name="Schema").all()[:2]:
        schema.click()
    page.page.locator(".models-control").click()

    for width, height in WINDOWS:
        page.page.set_viewport_size({"width": width, "height": height})
        assert page.page.evaluate("document.documentElement.scrollWidth") == width
    assert page.disturbances() == []


@pytest.mark.skipif("PAGE_PICTURE" not in os.environ, reason="PAGE_PICTURE asks for the picture")
def test_a_small_picture_of_the_page(
    system: LocalSystem, open_page: Open, printed_token: Callable[..., str]
) -> None:
    page = open_page(system.gateway_url, size=(1100, 760))
    page.authorise("operator", printed_token())
    PICTURE.parent.mkdir(exist_ok=True)

    page.page.screenshot(path=PICTURE)

    assert PICTURE.stat().st_size < 150_000
