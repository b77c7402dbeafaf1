"""The parameters of lists: which there are, what they may be, and how a list goes on."""

import base64
from urllib.parse import quote, urlencode

import pytest

from tests.apis import Answer, Api
from tests.builders import a_customer, a_product, an_order
from tests.integration.raw_http import answer_to

LISTS = ["/customers", "/products", "/orders"]
SEARCHED = ["/customers", "/products"]


@pytest.fixture
def apis(customers: Api, orders: Api) -> dict[str, Api]:
    return {"/customers": customers, "/products": orders, "/orders": orders}


def pointers_of(answer: Answer) -> list[str]:
    assert (answer.status, answer.code) == (422, "VALIDATION_FAILED")
    return [error["pointer"] for error in answer.json["errors"]]


async def two_rows(apis: dict[str, Api]) -> None:
    for _ in range(2):
        customer = await a_customer(apis["/customers"])
        product = await a_product(apis["/products"])
        await an_order(apis["/orders"], customer, (product, 1))


async def cursor_of(api: Api, path: str) -> str:
    cursor: str = (await api.get(f"{path}?limit=1")).json["next_cursor"]
    return cursor


@pytest.mark.parametrize(
    "limit",
    [
        "0", "-1", "101", "1000000", "abc", "", " ", "1.0", "1e1", "+5", "05", "0x5", "\uff11",
        "\u0665", "5 ", "null", "true", "9" * 19, "9" * 20, "9" * 5000,
    ],
)  # fmt: skip
async def test_a_limit_is_an_integer_from_1_to_100(apis: dict[str, Api], limit: str) -> None:
    for path in LISTS:
        answer = await apis[path].get(f"{path}?limit={quote(limit)}")
        assert pointers_of(answer) == ["/limit"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_a_page_has_as_many_rows_as_were_asked_for(
    apis: dict[str, Api], path: str, limit: int
) -> None:
    await two_rows(apis)

    answer = await apis[path].get(f"{path}?limit={limit}")

    assert answer.status == 200
    assert answer.json.keys() == {"data", "next_cursor"}
    assert min(2, limit) <= len(answer.json["data"]) <= limit


@pytest.mark.parametrize("path", ["/customers", "/products"])
async def test_a_page_has_20_rows_unless_something_else_is_asked_for(
    apis: dict[str, Api], path: str
) -> None:
    create = a_customer if path == "/customers" else a_product
    for _ in range(21):
        await create(apis[path])

    answer = await apis[path].get(path)

    assert len(answer.json["data"]) == 20
    assert answer.json["next_cursor"]


@pytest.mark.parametrize("name", ["offset", "page", "Limit", "limit ", "", "searches", "limit[]"])
async def test_a_parameter_that_nobody_knows_is_refused(apis: dict[str, Api], name: str) -> None:
    for path in LISTS:
        answer = await apis[path].get(f"{path}?{urlencode({name: '1'})}")
        assert pointers_of(answer) == [f"/{name}"]


@pytest.mark.parametrize("path", LISTS)
async def test_all_that_is_wrong_with_a_query_is_told_at_once(
    apis: dict[str, Api], path: str
) -> None:
    answer = await apis[path].get(f"{path}?limit=0&offset=1&a%2Fb~=2")

    assert set(pointers_of(answer)) == {"/limit", "/offset", "/a~1b~0"}


@pytest.mark.parametrize("path", LISTS)
async def test_a_parameter_that_is_given_twice_is_refused(apis: dict[str, Api], path: str) -> None:
    answer = await apis[path].get(f"{path}?limit=1&limit=1")

    assert pointers_of(answer) == ["/limit"]
    assert answer.json["errors"][0]["detail"] == "is given twice"


@pytest.mark.parametrize("query", ["cursor=%ff", "%ff=1", "limit=%c3%28"])
async def test_a_query_that_is_not_utf_8_is_refused(apis: dict[str, Api], query: str) -> None:
    for path in LISTS:
        answer = await answer_to(apis[path], f"GET {path}?{query}")
        assert (answer.status, answer.code) == (422, "VALIDATION_FAILED")


@pytest.mark.parametrize("search", ["a\x00b", "a\nb", "a\x7fb", "a\x85b", "x" * 201], ids=ascii)
async def test_a_search_is_a_text_like_any_other(apis: dict[str, Api], search: str) -> None:
    for path in SEARCHED:
        answer = await apis[path].get(f"{path}?{urlencode({'search': search})}")
        assert pointers_of(answer) == ["/search"]


@pytest.mark.parametrize(
    "cursor",
    ["", " ", "0", "1", "abc", "null", "=", "%", "é", "x" * 201, "x" * 5000, "' OR 1=1 --"],
    ids=lambda cursor: cursor[:12],
)
async def test_what_was_never_a_cursor_is_refused(apis: dict[str, Api], cursor: str) -> None:
    for path in LISTS:
        answer = await apis[path].get(f"{path}?{urlencode({'cursor': cursor})}")
        assert pointers_of(answer) == ["/cursor"]


@pytest.mark.parametrize("path", LISTS)
async def test_a_cursor_that_was_tampered_with_is_refused(apis: dict[str, Api], path: str) -> None:
    await two_rows(apis)
    cursor = await cursor_of(apis[path], path)
    padded = cursor + "=" * (-len(cursor) % 4)
    inside = base64.urlsafe_b64decode(padded).decode()
    tampered = [
        f"{cursor}=",
        f"{cursor}A",
        f" {cursor}",
        f"{cursor}\n",
        cursor[1:],
        cursor[:-2],
        cursor.swapcase(),
        base64.urlsafe_b64encode(f"{inside}0x".encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(inside.replace(":", ":-", 1).encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(f"{inside}:1".encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(inside.upper().encode()).decode().rstrip("="),
    ]

    assert (await apis[path].get(f"{path}?cursor={cursor}")).status == 200
    for other in tampered:
        answer = await apis[path].get(f"{path}?{urlencode({'cursor': other})}")
        assert pointers_of(answer) == ["/cursor"], other


@pytest.mark.parametrize(
    ("path", "other"), [(path, other) for path in LISTS for other in LISTS if path != other]
)
async def test_the_cursor_of_another_list_is_refused(
    apis: dict[str, Api], path: str, other: str
) -> None:
    await two_rows(apis)
    cursor = await cursor_of(apis[other], other)

    assert pointers_of(await apis[path].get(f"{path}?cursor={cursor}")) == ["/cursor"]


@pytest.mark.parametrize("path", LISTS)
async def test_a_cursor_goes_on_below_the_last_row_and_ends_with_null(
    apis: dict[str, Api], path: str
) -> None:
    await two_rows(apis)

    by_one = await apis[path].get(f"{path}?limit=1")
    next_one = await apis[path].get(f"{path}?limit=1&cursor={by_one.json['next_cursor']}")
    both = await apis[path].get(f"{path}?limit=2")

    assert both.json["data"] == by_one.json["data"] + next_one.json["data"]
    assert both.json["next_cursor"] == next_one.json["next_cursor"]
