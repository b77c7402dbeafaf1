"""Customers: created, read, replaced and deleted, with an e-mail that only one of them has."""

import asyncio
import re
from typing import Any

import pytest

from tests.apis import SERVICE_TOKEN, Answer, Api
from tests.builders import a_customer, unique
from tests.database_servers import TestDatabase
from tests.integration.locks import holding

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")


def details(**changes: Any) -> dict[str, Any]:
    return {"name": "ACME", "email": f"{unique('ops')}@acme.com", **changes}


def path_of(customer: dict[str, Any]) -> str:
    return f"/customers/{customer['id']}"


def assert_field_refused(answer: Answer, field: str) -> None:
    assert (answer.status, answer.code) == (422, "VALIDATION_FAILED")
    assert [error["pointer"] for error in answer.json["errors"]] == [f"/{field}"]


async def test_a_customer_is_created_and_found_where_the_answer_says(customers: Api) -> None:
    given = details(phone="+34 910 000 001")

    answer = await customers.post("/customers", given)

    customer = answer.json
    assert answer.status == 201
    assert answer.headers["Location"] == f"/customers/{customer['id']}"
    assert customer.keys() == {"id", "name", "email", "phone", "created_at", "updated_at"}
    assert customer.items() >= given.items()
    assert customer["id"] > 0
    assert MOMENT.fullmatch(customer["created_at"])
    assert customer["updated_at"] == customer["created_at"]
    read = await customers.get(answer.headers["Location"])
    assert (read.status, read.body) == (200, answer.body)


@pytest.mark.parametrize("given", [{}, {"phone": None}], ids=["no phone", "null"])
async def test_a_customer_may_have_no_phone(customers: Api, given: dict[str, None]) -> None:
    assert (await a_customer(customers, **given))["phone"] is None


@pytest.mark.parametrize(
    "email",
    [
        "{}@a.co",
        "{}.b+tag@sub.example.com",
        "{}!#$%&'*+/=?^_`{{|}}~-@example.com",
        ".{}.@example.com",
        "{}..b@example.com",
        "{}@1.2.3.4",
        "{}@xn--bcher-kva.example",
        "{}@a-b.c-d",
        "{}@" + "a" * 63 + ".com",
        "{}@EXAMPLE.COM",
        "  {}@example.com\n",
        # The sign of kelvin, which is a K in NFC.
        "{}@\u212aelvin.example",
    ],
    ids=ascii,
)
async def test_an_address_that_html_accepts_is_accepted(customers: Api, email: str) -> None:
    written = email.format(unique("Ops"))

    customer = await a_customer(customers, email=written)

    assert customer["email"] == written.strip().replace("\u212a", "K").lower()
    assert customer["email"].isascii()


@pytest.mark.parametrize("length", [254, 255])
async def test_an_address_has_254_characters_at_most(customers: Api, length: int) -> None:
    start = f"{unique('long')}@"
    domain = ".".join(["a" * 60] * 5)[: length - len(start) - 2] + ".b"
    email = start + domain
    assert len(email) == length

    answer = await customers.post("/customers", details(email=email))

    if length == 254:
        assert answer.status == 201
    else:
        assert_field_refused(answer, "email")


@pytest.mark.parametrize(
    "email",
    [
        "",
        " ",
        "ops",
        "ops@",
        "@acme.com",
        "ops@acme",  # HTML accepts it, the contract asks for a dot
        "ops@localhost",
        "ops@@acme.com",
        "ops@acme@acme.com",
        "ops@.com",
        "ops@acme.",
        "ops@acme..com",
        "ops@-acme.com",
        "ops@acme-.com",
        "ops@acme.com-",
        "ops@acme_corp.com",
        "ops@[127.0.0.1]",
        "ops@" + "a" * 64 + ".com",
        "op s@acme.com",
        "ops@ac me.com",
        "ops @acme.com",
        "ops\t@acme.com",
        '"ops"@acme.com',
        "ops(comment)@acme.com",
        "ops,it@acme.com",
        "Ops <ops@acme.com>",
        "mailto:ops@acme.com",
        "josé@acme.com",
        "ops@acmé.com",
        "ops@acme.com\x00",
        "ops\u200b@acme.com",
        "\uff4fps@acme.com",
        "ops@acme。com",
        None,
        1,
        ["ops@acme.com"],
    ],
    ids=ascii,
)
async def test_any_other_address_is_refused(customers: Api, email: Any) -> None:
    assert_field_refused(await customers.post("/customers", details(email=email)), "email")
    customer = await a_customer(customers)
    assert_field_refused(
        await customers.call("PUT", path_of(customer), details(email=email)), "email"
    )


async def test_an_address_is_taken_in_any_case(customers: Api) -> None:
    customer = await a_customer(customers)

    for email in (customer["email"], customer["email"].upper(), f" {customer['email'].title()} "):
        answer = await customers.post("/customers", details(email=email))
        assert (answer.status, answer.code) == (409, "EMAIL_TAKEN")


async def test_addresses_are_not_the_same_for_looking_alike(customers: Api) -> None:
    start = unique("jose")

    for email in (f"{start}@acme.com", f"{start}.@acme.com", f"{start}@acme.co", f"{start}@a.com"):
        assert (await a_customer(customers, email=email))["email"] == email


async def test_of_20_who_want_one_address_at_once_one_gets_it(
    customers: Api, database: TestDatabase
) -> None:
    email = f"{unique('race')}@acme.com"

    answers = await asyncio.gather(
        *(customers.post("/customers", details(email=email)) for _ in range(20))
    )

    assert sorted(answer.status for answer in answers) == [201] + [409] * 19
    assert {answer.code for answer in answers if answer.status == 409} == {"EMAIL_TAKEN"}
    assert len(database.query("SELECT 1 FROM customers WHERE email = %s", email)) == 1


async def test_of_many_who_change_to_one_address_at_once_one_gets_it(customers: Api) -> None:
    those = [await a_customer(customers) for _ in range(10)]
    email = f"{unique('race')}@acme.com"

    answers = await asyncio.gather(
        *(customers.call("PUT", path_of(one), details(email=email)) for one in those)
    )

    assert sorted(answer.status for answer in answers) == [200] + [409] * 9
    kept = [(await customers.get(path_of(one))).json["email"] for one in those]
    assert kept.count(email) == 1


async def test_an_address_is_free_again_after_the_deletion_of_whoever_had_it(
    customers: Api,
) -> None:
    email = f"{unique('again')}@acme.com"

    for _ in range(3):
        customer = await a_customer(customers, email=email)
        assert (await customers.call("DELETE", path_of(customer))).status == 204

    assert (await a_customer(customers, email=email))["email"] == email


async def test_who_changes_its_address_frees_the_old_one(customers: Api) -> None:
    customer = await a_customer(customers)
    assert (await customers.call("PUT", path_of(customer), details())).status == 200

    assert (await a_customer(customers, email=customer["email"]))["id"] != customer["id"]


@pytest.mark.parametrize(
    "phone",
    ["12345", "+34 910 000 001", "(030) 555-0003", "1.2.3.4.5", "+-().", "0" * 32, "  12345  "],
)
async def test_a_phone_has_5_to_32_digits_blanks_and_signs(customers: Api, phone: str) -> None:
    assert (await a_customer(customers, phone=phone))["phone"] == phone.strip()


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "1234",
        " 123 ",
        "     ",
        "0" * 33,
        "12345x",
        "12345 ext 6",
        "12345/6",
        "12345;6",
        "tel:+34910",
        "\uff11\uff12\uff13\uff14\uff15",
        "\u0660\u0661\u0662\u0663\u0664\u0665",
        "+34\u00a0910 000",
        "1234\n5",
        12345,
        True,
        ["12345"],
    ],
    ids=ascii,
)
async def test_any_other_phone_is_refused(customers: Api, phone: Any) -> None:
    assert_field_refused(await customers.post("/customers", details(phone=phone)), "phone")


@pytest.mark.parametrize("name", [None, 1, True, ["ACME"], {"first": "A"}])
async def test_a_name_is_a_text(customers: Api, name: Any) -> None:
    assert_field_refused(await customers.post("/customers", details(name=name)), "name")


async def test_what_looks_like_sql_is_a_name_like_any_other(customers: Api) -> None:
    name = "'; DROP TABLE customers; -- \\' \" %s %(x)s {0} `"

    customer = await a_customer(customers, name=name)

    assert (await customers.get(path_of(customer))).json["name"] == name


async def test_a_customer_is_replaced_whole(customers: Api) -> None:
    customer = await a_customer(customers, phone="12345")
    given = details(name="New", phone="+34 555 000")

    answer = await customers.call("PUT", path_of(customer), given)

    assert answer.status == 200
    assert answer.json == {
        **customer,
        **given,
        "updated_at": answer.json["updated_at"],
    }
    assert answer.json["updated_at"] >= customer["updated_at"]
    assert (await customers.get(path_of(customer))).body == answer.body


async def test_what_is_left_out_of_a_replacement_is_gone(customers: Api) -> None:
    customer = await a_customer(customers, phone="12345")

    answer = await customers.call(
        "PUT", path_of(customer), {"name": "ACME", "email": customer["email"]}
    )

    assert (answer.status, answer.json["phone"]) == (200, None)


@pytest.mark.parametrize("field", ["name", "email"])
async def test_what_a_customer_must_have_cannot_be_left_out(customers: Api, field: str) -> None:
    customer = await a_customer(customers)
    given = details()
    del given[field]

    assert_field_refused(await customers.call("PUT", path_of(customer), given), field)
    assert (await customers.get(path_of(customer))).json == customer


async def test_a_replacement_by_the_same_is_one(customers: Api) -> None:
    customer = await a_customer(customers, phone="12345")
    given = {name: customer[name] for name in ("name", "email", "phone")}

    answer = await customers.call("PUT", path_of(customer), given)

    assert answer.status == 200
    assert answer.json.items() >= given.items()


async def test_the_address_of_another_is_refused_and_nothing_changes(customers: Api) -> None:
    one, other = await a_customer(customers), await a_customer(customers)

    answer = await customers.call("PUT", path_of(one), details(email=other["email"].upper()))

    assert (answer.status, answer.code) == (409, "EMAIL_TAKEN")
    assert (await customers.get(path_of(one))).json == one


@pytest.mark.parametrize("field", ["id", "created_at", "updated_at", "deleted_at", "version"])
async def test_what_the_service_keeps_itself_cannot_be_written(customers: Api, field: str) -> None:
    assert_field_refused(await customers.post("/customers", details(**{field: 1})), field)


async def test_a_deleted_customer_is_gone_for_every_call(customers: Api) -> None:
    word = unique("gone")
    customer = await a_customer(customers, name=word)
    service = customers.called_with(SERVICE_TOKEN)

    deleted = await customers.call("DELETE", path_of(customer))

    assert (deleted.status, deleted.body) == (204, b"")
    assert "Content-Type" not in deleted.headers
    for answer in (
        await customers.get(path_of(customer)),
        await customers.call("PUT", path_of(customer), details()),
        await customers.call("DELETE", path_of(customer)),
        await service.get(f"/internal{path_of(customer)}"),
    ):
        assert (answer.status, answer.code) == (404, "CUSTOMER_NOT_FOUND")
    listed = await customers.get("/customers?limit=100")
    assert customer["id"] not in [row["id"] for row in listed.json["data"]]
    assert (await customers.get(f"/customers?search={word}")).json["data"] == []


async def test_a_deletion_is_soft(customers: Api, database: TestDatabase) -> None:
    customer = await a_customer(customers)
    await customers.call("DELETE", path_of(customer))

    rows = database.query(
        "SELECT name, deleted_at IS NOT NULL FROM customers WHERE id = %s", customer["id"]
    )
    terms = database.query("SELECT 1 FROM customer_terms WHERE customer_id = %s", customer["id"])

    assert rows == [("ACME", 1)]
    assert terms == []


async def test_of_many_who_delete_a_customer_at_once_one_does(
    customers: Api, database: TestDatabase
) -> None:
    customer = await a_customer(customers)

    with holding(
        database, "SELECT id FROM customers WHERE id = %s FOR UPDATE", customer["id"]
    ) as other:
        deletions = [
            asyncio.create_task(customers.call("DELETE", path_of(customer))) for _ in range(8)
        ]
        await other.until_waiting(8)
        other.undo()
        answers = await asyncio.gather(*deletions)

    assert sorted(answer.status for answer in answers) == [204] + [404] * 7


async def test_a_customer_that_never_was_is_not_found(customers: Api) -> None:
    for method, value in (("GET", None), ("PUT", details()), ("DELETE", None)):
        answer = await customers.call(method, "/customers/999999999", value)
        assert (answer.status, answer.code) == (404, "CUSTOMER_NOT_FOUND")


async def test_services_read_a_customer_as_operators_do(customers: Api) -> None:
    customer = await a_customer(customers, phone="12345")

    operators = await customers.get(path_of(customer))
    services = await customers.called_with(SERVICE_TOKEN).get(f"/internal{path_of(customer)}")

    assert (services.status, services.body) == (200, operators.body)
    assert services.headers["ETag"] == operators.headers["ETag"]


async def test_a_list_is_newest_first(customers: Api) -> None:
    created = [(await a_customer(customers))["id"] for _ in range(3)]

    rows = (await customers.get("/customers?limit=3")).json["data"]

    assert [row["id"] for row in rows] == created[::-1]


async def test_a_list_shows_each_customer_as_reading_it_does(customers: Api) -> None:
    customer = await a_customer(customers, phone="12345")

    rows = (await customers.get("/customers?limit=1")).json["data"]

    assert rows == [customer]
