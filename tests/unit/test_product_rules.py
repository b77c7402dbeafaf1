"""The rules of products, by themselves."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_api.problems import InsufficientStock
from orders_api.products.rules import LARGEST_STOCK, Product, changed_stock, terms
from service_kit.problems import ValidationFailed

NOON = datetime(2026, 1, 5, 12)


def a_product(stock: int = 10) -> Product:
    return Product(3, "LAP-14", 'Laptop 14"', 129900, stock, 5, NOON, NOON)


@given(st.integers(0, LARGEST_STOCK), st.integers(0, LARGEST_STOCK))
def test_a_stock_that_is_set_is_the_stock(before: int, after: int) -> None:
    assert changed_stock(a_product(before), {"stock": after}) == after


@given(
    st.integers(0, 2 * LARGEST_STOCK),
    st.integers(-LARGEST_STOCK, LARGEST_STOCK),
)
def test_a_delta_is_added_refused_below_zero_and_refused_when_it_adds_past_the_most(
    stock: int, delta: int
) -> None:
    change = {"stock_delta": delta}

    if stock + delta < 0:
        with pytest.raises(InsufficientStock) as refused:
            changed_stock(a_product(stock), change)
        assert refused.value.errors == [{"product_id": 3, "requested": -delta, "available": stock}]
    elif delta > 0 and stock + delta > LARGEST_STOCK:
        with pytest.raises(ValidationFailed) as too_much:
            changed_stock(a_product(stock), change)
        assert [error["pointer"] for error in too_much.value.errors] == ["/stock_delta"]
    else:
        assert changed_stock(a_product(stock), change) == stock + delta


@pytest.mark.parametrize("stock", [0, 10, LARGEST_STOCK, LARGEST_STOCK + 7])
def test_a_change_of_something_else_leaves_the_stock_alone(stock: int) -> None:
    assert changed_stock(a_product(stock), {"name": "Laptop", "price_cents": 1}) == stock


def test_a_product_is_found_by_the_words_of_sku_and_name() -> None:
    assert terms("LAP-14.b_2", "Estación Ñandú") == ["lap", "14", "b", "2", "estacion", "nandu"]


def test_a_product_is_shown_with_its_moments_to_the_millisecond() -> None:
    assert a_product().document() == {
        "id": 3,
        "sku": "LAP-14",
        "name": 'Laptop 14"',
        "price_cents": 129900,
        "stock": 10,
        "created_at": "2026-01-05T12:00:00.000Z",
        "updated_at": "2026-01-05T12:00:00.000Z",
    }


def test_a_version_is_a_strong_tag_of_its_own() -> None:
    assert a_product().etag == '"5"'
