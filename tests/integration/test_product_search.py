"""Products in lists: found by their words, a page at a time."""

import pytest

from tests.apis import Api
from tests.builders import a_product, unique
from tests.integration.order_calls import patch


async def found(orders: Api, search: str) -> list[str]:
    """Return the names that a search finds, in the order of the list."""
    return [row["name"] for row in await orders.pages(f"/products?limit=100&search={search}")]


async def test_products_are_found_by_the_beginnings_of_words_of_sku_and_name(
    orders: Api,
) -> None:
    mark = unique("mark")
    await a_product(orders, sku=f"{mark}end-DOCK.usb_c", name="Estación Ñandú 4K")
    await a_product(orders, sku=unique("other"), name=f"{mark} other")

    for search in (mark, mark.upper(), f"{mark}+{mark}"):
        assert await found(orders, search) == [f"{mark} other", "Estación Ñandú 4K"]
    for search in ("dock", "usb", "c", "ESTACION", "estaci%C3%B3n", "nand", "4k", "4", "dock+4k"):
        assert await found(orders, f"{mark}+{search}") == ["Estación Ñandú 4K"]
    for search in ("ock", "dockx", "estacionn", "dock+other", "k", f"{mark}x"):
        assert await found(orders, f"{mark}+{search}") == []


@pytest.mark.parametrize("search", ["%25", "_", "*", "%22", "'", "%5C", "()", "%25%25_"])
async def test_a_search_without_letter_or_digit_finds_nothing(orders: Api, search: str) -> None:
    await a_product(orders, name="100% _of_ (it) *")

    assert await found(orders, search) == []


@pytest.mark.parametrize("search", ["", "+", "%09", "%E2%80%83"])
async def test_a_blank_search_does_not_filter(orders: Api, search: str) -> None:
    product = await a_product(orders)

    newest = (await orders.get(f"/products?search={search}&limit=1")).json["data"]

    assert newest == [product]


async def test_a_new_name_is_found_and_the_old_one_is_not(orders: Api) -> None:
    old, new = unique("old"), unique("new")
    product = await a_product(orders, sku=unique("keep"), name=old)

    await patch(orders, product, {"name": new})
    await patch(orders, product, {"price_cents": 1})

    assert await found(orders, old) == []
    assert await found(orders, new) == [new]
    assert await found(orders, product["sku"]) == [new]


async def test_a_list_shows_whole_products_newest_first_a_page_at_a_time(orders: Api) -> None:
    mark = unique("mark")
    products = [await a_product(orders, name=f"{mark} {number}") for number in range(7)]

    first = (await orders.get(f"/products?search={mark}&limit=3")).json

    assert first["data"] == products[:3:-1]
    assert await orders.pages(f"/products?search={mark}&limit=3") == products[::-1]
    assert (await orders.get(f"/products?search={mark}&limit=7")).json == {
        "data": products[::-1],
        "next_cursor": None,
    }


@pytest.mark.parametrize("searching", [True, False])
async def test_following_cursors_shows_every_product_once_while_others_come_and_change(
    orders: Api, searching: bool
) -> None:
    mark = unique("mark")
    there = [await a_product(orders, name=mark) for _ in range(8)]
    path = f"/products?limit=3{f'&search={mark}' if searching else ''}"
    seen: list[int] = []
    cursor = ""
    while not {product["id"] for product in there} <= set(seen):
        page = (await orders.get(path + cursor)).json
        seen += [row["id"] for row in page["data"]]
        cursor = f"&cursor={page['next_cursor']}"
        await a_product(orders, name=mark)
        await patch(orders, there[0], {"stock_delta": 1})

    assert [seen.count(product["id"]) for product in there] == [1] * 8
    assert seen == sorted(seen, reverse=True)
