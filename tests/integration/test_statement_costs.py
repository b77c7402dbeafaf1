"""What every statement of the services costs the database, whatever else there is in it.

The statements are those that a walk through all that the services do sends. Those that stand in the
code are looked up as well: one that the walk does not come by fails the second test.
"""

import itertools
from dataclasses import dataclass

import pytest

import customers_api
import orders_api
import orders_api.orders.service
import orders_api.products.repository
import service_kit
from benchmark.loading import Loaded, load
from benchmark.rows import COMMON_WORD, rare_word
from local_system.database import DatabaseServer
from orders_api.idempotency import PURGE_BATCH
from tests.apis import SERVICE_TOKEN, Api
from tests.builders import a_customer, a_product, an_order, unique
from tests.database_servers import TestDatabase, create_database
from tests.integration.conftest import Start
from tests.integration.order_calls import cancel, confirm, patch
from tests.integration.statements import Recorder, Sent, source_of, touching_rows, written_in
from tests.waiting import until

SIZE = 5000
"""Customers; a tenth of that of products, twice as many orders."""
KEYS = PURGE_BATCH + 100
MOST_REFERENCES = 2
"""Foreign keys of a table."""
PAGES = 3
SMALL = 6
"""Besides its rows, a statement may look for where each range of an index begins and ends."""


@dataclass(frozen=True, slots=True)
class Full:
    """A database of its own with many rows of every table."""

    database: TestDatabase
    loaded: Loaded

    def write_keys(self, minutes: int) -> None:
        """Write idempotency keys that expire in some minutes, or have expired before some."""
        self.database.query(
            "INSERT INTO idempotency_keys (`key`, target_type, target_id, fingerprint, status,"
            " response_body, expires_at) SELECT CONCAT(%s, id), 'order.create', id,"
            " REPEAT('x', 32), 201, '{}', UTC_TIMESTAMP(3) + INTERVAL %s MINUTE"
            " FROM orders ORDER BY id LIMIT %s",
            f"expires in {minutes}-",
            minutes,
            KEYS,
        )

    def expired_keys(self) -> int:
        """Count the keys that have expired."""
        sql = "SELECT COUNT(*) FROM idempotency_keys WHERE expires_at <= UTC_TIMESTAMP(3)"
        ((count,),) = self.database.query(sql)
        assert isinstance(count, int)
        return count


@pytest.fixture(scope="module")
def full(database: TestDatabase) -> Full:
    admin = database.admin
    own = create_database(
        DatabaseServer(admin.host, admin.port, admin.admin_user, admin.admin_password)
    )
    with own.connect() as connection:
        found = Full(own, load(connection, SIZE))
    own.query("UPDATE customers SET deleted_at = UTC_TIMESTAMP(3) WHERE MOD(id, 3) = 0")
    own.query("DELETE FROM customer_terms WHERE MOD(customer_id, 3) = 0")
    found.write_keys(minutes=30)
    own.query("ANALYZE TABLE customers, products, orders, order_items, idempotency_keys")
    return found


@dataclass(frozen=True, slots=True)
class Walk:
    """All that the services do, with a database behind them that is full."""

    customers: Api
    orders: Api
    full: Full

    async def all_of_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Go through it once."""
        await self._purge()
        await self._customers()
        await self._products()
        await self._orders()
        await self._lists_of_orders()
        await self._trouble(monkeypatch)

    async def _purge(self) -> None:
        """Wait for what the service begins by itself when it starts."""
        await until(lambda: self.full.expired_keys() == 0, "a purge", seconds=20)

    async def _customers(self) -> None:
        assert (await self.customers.get("/health")).status == 200
        created = await a_customer(self.customers)
        path = f"/customers/{created['id']}"
        assert (await self.customers.get(path)).status == 200
        internal = self.customers.called_with(SERVICE_TOKEN)
        assert (await internal.get(f"/internal{path}")).status == 200
        again = {"name": "Other", "email": created["email"]}
        assert (await self.customers.call("PUT", path, again)).status == 200
        assert (await self.customers.post("/customers", again)).code == "EMAIL_TAKEN"
        for search in ("", f"&search={COMMON_WORD}", f"&search={rare_word(SIZE // 2 + 1)}"):
            await _first_pages(self.customers, f"/customers?limit=20{search}")
        assert (await self.customers.call("DELETE", path)).status == 204
        assert (await self.customers.get(path)).status == 404

    async def _products(self) -> None:
        created = await a_product(self.orders)
        assert (await self.orders.get(f"/products/{created['id']}")).status == 200
        for change in ({"name": "Bolt"}, {"stock": 5}, {"stock_delta": -1, "price_cents": 7}):
            assert (await patch(self.orders, created, change)).status == 200
        taken = {"sku": created["sku"], "name": "Nut", "price_cents": 1, "stock": 1}
        assert (await self.orders.post("/products", taken)).code == "SKU_TAKEN"
        for search in ("", "&search=sku", "&search=0000100"):
            await _first_pages(self.orders, f"/products?limit=20{search}")

    async def _orders(self) -> None:
        customer = await a_customer(self.customers)
        for count, key in itertools.product((1, 3, 100), (False, True)):
            headers = {"X_Idempotency_Key": unique("create")} if key else {}
            first = self.full.loaded.products.start
            pairs = [({"id": first + 4 * place}, 1) for place in range(count)]
            created = await an_order(self.orders, customer, *pairs, **headers)
            if key:
                assert await an_order(self.orders, customer, *pairs, **headers) == created
            assert (await self.orders.get(f"/orders/{created['id']}")).status == 200
            assert (await confirm(self.orders, created)).status == 200
            headers = {"X_Idempotency_Key": unique("cancel")} if key else {}
            assert (await cancel(self.orders, created, **headers)).status == 200
            assert (await cancel(self.orders, created)).status == 200

    async def _lists_of_orders(self) -> None:
        oldest = (await self.orders.get(f"/orders/{self.full.loaded.orders.start}")).json
        filters = {
            "customer_id": oldest["customer_id"],
            "status": oldest["status"],
            "from": oldest["created_at"],
            "to": "2999-01-01",
        }
        for count in range(len(filters) + 1):
            for names in itertools.combinations(filters, count):
                asked = "".join(f"&{name}={filters[name]}" for name in names)
                await _first_pages(self.orders, f"/orders?limit=20{asked}")

    async def _trouble(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take an order under an expired key, as if others changed its product all the time."""
        key = unique("expired")
        customer = await a_customer(self.customers)
        product = {"id": self.full.loaded.products.start}
        await an_order(self.orders, customer, (product, 1), X_Idempotency_Key=key)
        self.full.database.query(
            "UPDATE idempotency_keys SET created_at = created_at - INTERVAL 2 DAY,"
            " expires_at = expires_at - INTERVAL 2 DAY WHERE `key` = %s",
            key,
        )
        monkeypatch.setattr(orders_api.orders.service, "HOLDS_ROWS", (True,))
        await an_order(self.orders, customer, (product, 1), X_Idempotency_Key=key)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    seen = Recorder()
    seen.install(monkeypatch)
    return seen


@pytest.fixture
def walk(recorder: Recorder, full: Full, start_customers: Start, start_orders: Start) -> Walk:
    full.write_keys(minutes=-30)  # to be purged when the service starts
    customers = start_customers(**full.database.customers_variables())
    return Walk(
        customers, start_orders(customers.base_url, **full.database.orders_variables()), full
    )


async def _first_pages(api: Api, path: str) -> None:
    cursor: str | None = ""
    for _ in range(PAGES):
        answer = await api.get(f"{path}&cursor={cursor}" if cursor else path)
        assert answer.json["data"], path
        cursor = answer.json["next_cursor"]
        if cursor is None:
            break


def is_search(sent: Sent) -> bool:
    """Tell whether this is one of those statements whose cost depends on words."""
    return " LIKE " in sent.sql


def needed(sent: Sent) -> int:
    """Return how many rows have to be read: MySQL counts the look-ups of foreign keys as well."""
    return sent.rows * (MOST_REFERENCES if sent.sql.startswith("INSERT") else 1)


async def test_no_statement_reads_more_rows_than_it_returns_and_a_few(
    walk: Walk, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await walk.all_of_it(monkeypatch)

    dear = [
        f"{sent.read} read for {sent.rows}: {sent.sql[:300]}"
        for sent in recorder.sent
        if sent.read > needed(sent) + SMALL and not is_search(sent)
    ]
    assert not dear, "\n".join(dear)


async def test_every_statement_in_the_code_was_sent_and_counted(
    walk: Walk, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await walk.all_of_it(monkeypatch)

    written = [*written_in(customers_api), *written_in(orders_api), *written_in(service_kit)]
    texts = touching_rows(recorder.texts)
    sources = {text: source_of(text, written) for text in texts}
    assert [text for text, source in sources.items() if source is None] == []
    assert {each.place for each in written} == {each.place for each in sources.values() if each}


async def test_the_counters_would_tell_a_statement_that_reads_too_much(
    walk: Walk, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = "(SELECT CAST(SUM(stock) AS SIGNED) FROM products)"
    columns = orders_api.products.repository._COLUMNS.replace("stock", scan)
    monkeypatch.setattr(orders_api.products.repository, "_COLUMNS", columns)
    before = len(recorder.sent)

    assert (await walk.orders.get(f"/products/{walk.full.loaded.products.start}")).status == 200

    assert max(sent.read - sent.rows for sent in recorder.sent[before:]) > SIZE // 10 - SMALL
