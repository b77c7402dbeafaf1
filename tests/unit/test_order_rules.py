"""The rules of orders, by themselves."""

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_api.orders.rules import (
    LARGEST_TOTAL_CENTS,
    Item,
    Offer,
    Order,
    OrderStatus,
    add_up,
    check_cancelable,
    check_confirmable,
    price,
    total,
)
from orders_api.problems import (
    CancelWindowClosed,
    InsufficientStock,
    OrderNotConfirmable,
    ProductNotFound,
    TotalTooLarge,
)

NOON = datetime(2026, 1, 5, 12)
TEN_MINUTES = timedelta(minutes=10)
MILLISECOND = timedelta(milliseconds=1)

ids = st.integers(1, 8)
lines = st.lists(st.fixed_dictionaries({"product_id": ids, "qty": st.integers(1, 1_000_000)}))


def an_offer(price_cents: int = 100, stock: int = 10) -> Offer:
    return Offer(price_cents, stock, NOON)


def an_order(status: OrderStatus = OrderStatus.CREATED) -> Order:
    order = Order(7, 1, OrderStatus.CREATED, 300, 1, NOON)
    if status is OrderStatus.CONFIRMED:
        return order.confirmed(NOON)
    return order.canceled(NOON) if status is OrderStatus.CANCELED else order


# Lines.


@given(lines)
def test_adding_up_loses_no_unit(given_lines: list[dict[str, int]]) -> None:
    quantities = add_up(given_lines)

    for product_id in range(1, 9):
        units = sum(line["qty"] for line in given_lines if line["product_id"] == product_id)
        assert quantities.get(product_id, 0) == units
    assert all(quantities.values())


@given(st.permutations([(5, 1), (2, 3), (9, 1), (2, 4)]))
def test_products_come_in_the_order_of_their_ids_however_they_were_given(
    pairs: list[tuple[int, int]],
) -> None:
    # All transactions lock the rows in that order, and so never wait in a circle.
    quantities = add_up({"product_id": product_id, "qty": qty} for product_id, qty in pairs)

    assert list(quantities.items()) == [(2, 7), (5, 1), (9, 1)]


# Prices.


def test_items_have_the_prices_of_the_offers_and_add_up() -> None:
    items = price({2: 3, 5: 1}, {5: an_offer(2450), 2: an_offer(129900)})

    assert items == [Item(2, 3, 129900), Item(5, 1, 2450)]
    assert items[0].document() == {
        "product_id": 2,
        "qty": 3,
        "unit_price_cents": 129900,
        "subtotal_cents": 389700,
    }
    assert total(items) == 392150


@given(
    st.dictionaries(ids, st.integers(1, 20), min_size=1),
    st.dictionaries(ids, st.tuples(st.integers(0, 10**6), st.integers(0, 20))),
)
def test_an_order_is_priced_or_refused_for_all_that_is_wrong_with_it(
    quantities: dict[int, int], stock: dict[int, tuple[int, int]]
) -> None:
    offers = {product_id: an_offer(*offer) for product_id, offer in stock.items()}
    missing = [product_id for product_id in quantities if product_id not in offers]
    short = [
        {"product_id": product_id, "requested": qty, "available": offers[product_id].stock}
        for product_id, qty in quantities.items()
        if product_id in offers and qty > offers[product_id].stock
    ]

    if missing:
        with pytest.raises(ProductNotFound) as not_found:
            price(quantities, offers)
        assert not_found.value.errors == [{"product_id": product_id} for product_id in missing]
    elif short:
        with pytest.raises(InsufficientStock) as refused:
            price(quantities, offers)
        assert refused.value.errors == short
    else:
        items = price(quantities, offers)
        assert {item.product_id: item.qty for item in items} == quantities
        assert total(items) == sum(
            qty * offers[product_id].price_cents for product_id, qty in quantities.items()
        )


def test_all_units_there_are_can_be_taken_and_one_more_cannot() -> None:
    assert price({1: 10}, {1: an_offer(stock=10)})
    with pytest.raises(InsufficientStock):
        price({1: 11}, {1: an_offer(stock=10)})


def test_a_missing_product_is_told_before_a_total_that_is_too_large_and_a_short_line() -> None:
    offers = {1: an_offer(price_cents=10**12, stock=0)}

    with pytest.raises(ProductNotFound):
        price({1: 10**6, 2: 1}, offers)


@pytest.mark.parametrize("cents_more", [0, 1])
def test_the_largest_total_is_2_to_the_53_minus_1(cents_more: int) -> None:
    dear = 10**12
    whole, rest = divmod(LARGEST_TOTAL_CENTS + cents_more, dear)
    offers = {1: an_offer(dear, 10**6), 2: an_offer(rest, 1)}

    if cents_more:
        with pytest.raises(TotalTooLarge):
            price({1: whole, 2: 1}, offers)
    else:
        assert total(price({1: whole, 2: 1}, offers)) == 9_007_199_254_740_991


# States.


@pytest.mark.parametrize("status", [OrderStatus.CONFIRMED, OrderStatus.CANCELED])
def test_only_a_created_order_can_be_confirmed(status: OrderStatus) -> None:
    check_confirmable(an_order())
    with pytest.raises(OrderNotConfirmable):
        check_confirmable(an_order(status))


@pytest.mark.parametrize("window", [timedelta(0), TEN_MINUTES])
def test_a_created_order_can_be_canceled_however_old_it_is(window: timedelta) -> None:
    check_cancelable(an_order(), NOON + timedelta(days=400), window)


@pytest.mark.parametrize("window", [timedelta(0), timedelta(seconds=1), TEN_MINUTES])
def test_a_confirmed_order_can_be_canceled_to_the_last_millisecond_of_its_time(
    window: timedelta,
) -> None:
    order = an_order(OrderStatus.CONFIRMED)

    check_cancelable(order, NOON, window)
    check_cancelable(order, NOON + window, window)
    with pytest.raises(CancelWindowClosed):
        check_cancelable(order, NOON + window + MILLISECOND, window)


def test_the_time_to_cancel_counts_from_the_confirmation_not_from_the_order() -> None:
    late = an_order().confirmed(NOON + timedelta(days=1))

    check_cancelable(late, NOON + timedelta(days=1) + TEN_MINUTES, TEN_MINUTES)


def test_every_step_makes_a_new_version_and_leaves_the_old_one_alone() -> None:
    created = an_order()
    confirmed = created.confirmed(NOON + MILLISECOND)
    canceled = confirmed.canceled(NOON + 2 * MILLISECOND)

    versions = [created, confirmed, canceled]
    assert [order.status.value for order in versions] == ["CREATED", "CONFIRMED", "CANCELED"]
    for one, other in itertools.combinations(versions, 2):
        assert one.etag != other.etag
    assert created.confirmed_at is None


def test_an_order_is_shown_with_its_moments_to_the_millisecond_and_its_items() -> None:
    order = an_order().confirmed(NOON + MILLISECOND)

    shown = order.document_with([Item(2, 3, 100)])

    assert shown == {
        "id": 7,
        "customer_id": 1,
        "status": "CONFIRMED",
        "total_cents": 300,
        "created_at": "2026-01-05T12:00:00.000Z",
        "confirmed_at": "2026-01-05T12:00:00.001Z",
        "canceled_at": None,
        "items": [{"product_id": 2, "qty": 3, "unit_price_cents": 100, "subtotal_cents": 300}],
    }
    assert "items" not in order.document()
