"""Customers found by the beginnings of words, and lists that go on while rows come and go."""

import asyncio
import random
import re
import unicodedata
from typing import Any
from urllib.parse import urlencode

import pytest

from service_kit import search as kit_search
from tests.apis import Api
from tests.builders import a_customer, unique
from tests.database_servers import TestDatabase

SEED = random.SystemRandom().randrange(1_000_000)

WALKS_ALWAYS = 1
WALKS_SOON = 3


@pytest.fixture(
    params=[kit_search.RARE, WALKS_ALWAYS, WALKS_SOON],
    ids=["by rare words", "by walking", "by both"],
)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Bring the border between rare and common words down, so that each way of finding is used."""
    monkeypatch.setattr(kit_search, "RARE", request.param)
    return str(request.node.callspec.id)


async def found(customers: Api, search: str) -> list[int]:
    answer = await customers.get(f"/customers?{urlencode({'search': search, 'limit': 100})}")
    assert answer.status == 200, answer.body
    return [row["id"] for row in answer.json["data"]]


async def is_found(customers: Api, customer: dict[str, Any], search: str) -> bool:
    return customer["id"] in await found(customers, search)


@pytest.mark.parametrize(
    "search",
    [
        "{word}",
        "{upper}",
        "  {word}  ",
        "{start}",
        "{word} cafe",
        "CAFÉ {word}",
        "cafe\u0301 {word}",
        "\uff43\uff41\uff46\uff45 {word}",
        "{word} Ñandú",
        "nan {word} caf",
        "{word} strasse",
        "{word} STRASSE",
        "{word} straße",
        "{word} s l",
        "{word}, ops!",
        "{word}%_\"'\\",
        "(+34) {word}",
        "{word} ops@acme",
        "{word} acme.com",
        "ops@acme.com {word}",
        "{word} 34910",
        "{word} 910 000 001",
        "{word} +34 910 000 001",
        "{word} 34910000001",
        "{word} 0 9 3",
        "{word} {word} c ca caf cafe",
    ],
)
async def test_a_customer_is_found_by_the_beginnings_of_its_words(
    customers: Api, way: str, search: str
) -> None:
    word = unique("zeta")
    customer = await a_customer(
        customers,
        name=f"Café Ñandú {word}, S.L. Straße",
        email=f"ops@acme.com.{unique('d')}",
        phone="+34 910 000 001",
    )

    asked = search.format(word=word, upper=word.upper(), start=word[:-1])

    assert await is_found(customers, customer, asked), way


@pytest.mark.parametrize(
    "search",
    [
        "{word}x",
        "{inside}",
        "{word} afe",
        "{word} nothing",
        "{word} cafenandu",
        "{word} ops@acmecom",
        "{word} 910000001",
        "{word} 10000",
        "{word} cafe nandu x",
        "nothing",
    ],
)
async def test_it_is_not_found_by_anything_else(customers: Api, way: str, search: str) -> None:
    word = unique("zeta")
    customer = await a_customer(
        customers,
        name=f"Café Ñandú {word}",
        email=f"ops@acme.com.{unique('d')}",
        phone="+34 910 000 001",
    )
    assert await is_found(customers, customer, word)

    asked = search.format(word=word, inside=word[1:])

    assert not await is_found(customers, customer, asked), way


@pytest.mark.parametrize("search", ["", " ", "\u3000", "\u00a0 "], ids=ascii)
async def test_a_blank_search_filters_nothing(customers: Api, search: str) -> None:
    customer = await a_customer(customers)

    answer = await customers.get(f"/customers?{urlencode({'search': search, 'limit': 1})}")

    assert (answer.status, answer.json["data"]) == (200, [customer])


@pytest.mark.parametrize(
    "search", ["%", "_", "%%", "'", '"', "\\", "@", "+-().", "* ( ~ <", "😀", "--", ";", "\u0301"]
)
async def test_a_search_without_letter_or_digit_finds_nothing(
    customers: Api, way: str, search: str
) -> None:
    await a_customer(customers, name=f"A{search}A")

    assert await found(customers, search) == [], way


@pytest.mark.parametrize("search", ["{start}%", "{start}_{end}", "%{word}", "{word}' OR '1'='1"])
async def test_signs_of_sql_are_no_wildcards(customers: Api, way: str, search: str) -> None:
    word, other = unique("sign"), unique("sign")
    customer = await a_customer(customers, name=word)
    others = await a_customer(customers, name=other)

    ids = await found(customers, search.format(word=word, start=word, end=word[-1]))

    assert others["id"] not in ids, way
    assert set(ids) <= {customer["id"]}


async def test_words_of_more_than_64_characters_are_compared_whole(
    customers: Api, way: str
) -> None:
    word = (unique("long") + "x" * 100)[:100]
    customer = await a_customer(customers, name=word)
    other = await a_customer(customers, name=word[:64] + "y" * 36)

    for length in (1, 63, 64):
        ids = await found(customers, word[:length])
        assert {customer["id"], other["id"]} <= set(ids), way
    for length in (65, 99, 100):
        assert await found(customers, word[:length]) == [customer["id"]], way
    assert await found(customers, word + "x") == []
    assert await found(customers, f"{word[:65]} {word[:64]}y") == []


async def test_a_search_may_have_many_words(customers: Api, way: str) -> None:
    word = unique("many")
    name = " ".join([word, *(f"w{number}" for number in range(30))])
    customer = await a_customer(customers, name=name)

    assert await found(customers, name) == [customer["id"]], way
    assert await found(customers, f"{name} w99") == []


async def test_a_replaced_customer_is_found_by_its_new_words_alone(
    customers: Api, way: str
) -> None:
    old, new = unique("old"), unique("new")
    customer = await a_customer(customers, name=old, phone="55555")

    await customers.call(
        "PUT", f"/customers/{customer['id']}", {"name": new, "email": customer["email"]}
    )

    assert await found(customers, old) == [], way
    assert await found(customers, f"{new} {customer['email']}") == [customer["id"]]
    assert await found(customers, f"{new} 55555") == []


async def test_a_customer_that_was_refused_leaves_no_words(
    customers: Api, database: TestDatabase
) -> None:
    word = unique("refused")
    customer = await a_customer(customers)

    answer = await customers.post("/customers", {"name": word, "email": customer["email"]})

    assert answer.code == "EMAIL_TAKEN"
    assert database.query("SELECT 1 FROM customer_terms WHERE term = %s", word) == []


WORDS = ["acme", "ácme", "acmé corp", "beta", "BETA", "bet", "b", "gamma-gas", "4k", "40", "Straße"]
ASKED = [
    "a",
    "ac",
    "acme",
    "corp",
    "b",
    "be",
    "bet",
    "beta",
    "g",
    "gamma gas",
    "4",
    "4k",
    "x",
    "st",
]


def words_of(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[^\W_]+", "".join(c for c in decomposed if not unicodedata.combining(c)))


async def test_random_searches_find_the_same_in_every_way(
    customers: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(SEED)
    mark = unique("mark")
    names = [" ".join(chance.choices(WORDS, k=chance.randint(1, 4))) for _ in range(40)]
    rows = [await a_customer(customers, name=f"{mark} {name}") for name in names]
    deleted = chance.sample(rows, 5)
    for row in deleted:
        await customers.call("DELETE", f"/customers/{row['id']}")
    living = [row for row in rows[::-1] if row not in deleted]

    for _ in range(40):
        asked = chance.sample(ASKED, chance.randint(0, 3))
        search = " ".join([mark, *asked])
        expected = [
            row["id"]
            for row in living
            if all(
                any(word.startswith(each) for word in words_of(f"{row['name']} {row['email']}"))
                for each in words_of(search)
            )
        ]
        for border in (kit_search.RARE, WALKS_ALWAYS, WALKS_SOON, 10):
            monkeypatch.setattr(kit_search, "RARE", border)
            assert await found(customers, search) == expected, (SEED, search, border)
        monkeypatch.undo()


async def test_a_search_goes_on_from_page_to_page(customers: Api, way: str) -> None:
    word = unique("page")
    created = [(await a_customer(customers, name=f"{word} {n}"))["id"] for n in range(10)]

    rows = await customers.pages(f"/customers?search={word}&limit=3")

    assert [row["id"] for row in rows] == created[::-1], way


@pytest.mark.parametrize("searched", [False, True], ids=["a list", "a search"])
async def test_following_cursors_while_rows_come_and_go_shows_each_lasting_row_once(
    customers: Api, searched: bool
) -> None:
    word = unique("lasting")
    rows = [await a_customer(customers, name=f"{word} {number}") for number in range(40)]
    lasting, leaving = rows[::2], rows[1::2]
    shown: list[int] = []
    path = f"/customers?limit=5{f'&search={word}' if searched else ''}"
    cursor = ""

    while True:
        answer = await customers.get(path + cursor)
        shown += [row["id"] for row in answer.json["data"]]
        if answer.json["next_cursor"] is None or min(shown) < rows[0]["id"]:
            break
        cursor = f"&cursor={answer.json['next_cursor']}"
        newcomer = await a_customer(customers, name=f"{word} new")
        # Some of what was shown goes, some of what was not, and what the cursor names.
        for one in (leaving.pop(), leaving.pop(0), newcomer, {"id": shown[-1]}):
            if one not in lasting and one["id"] not in [row["id"] for row in lasting]:
                await customers.call("DELETE", f"/customers/{one['id']}")

    assert len(shown) == len(set(shown))
    assert {row["id"] for row in lasting} <= set(shown)
    assert shown == sorted(shown, reverse=True)


async def test_a_list_is_read_while_many_write(customers: Api) -> None:
    word = unique("busy")
    lasting = [(await a_customer(customers, name=word))["id"] for _ in range(20)]

    async def write() -> None:
        for _ in range(5):
            one = await a_customer(customers, name=word)
            await customers.call("DELETE", f"/customers/{one['id']}")

    pages, *_ = await asyncio.gather(
        customers.pages(f"/customers?search={word}&limit=4"), *(write() for _ in range(5))
    )

    ids = [row["id"] for row in pages]
    assert [each for each in ids if each in lasting] == lasting[::-1]
