"""What must hold in the database, whatever died in the middle of what."""

from db.doctor.catalogue import CATALOGUE_CHECKS
from db.doctor.findings import Connection
from db.doctor.keys import KEY_CHECKS
from db.doctor.orders import ORDER_CHECKS
from tests.system.databases import Query

_UNITS = (
    "SELECT stock, COALESCE((SELECT SUM(qty) FROM order_items JOIN orders ON orders.id = order_id"
    " WHERE product_id = products.id AND status <> 'CANCELED'), 0) FROM products WHERE id = %s"
)


def mistakes(connection: Connection) -> list[str]:
    """Return what the doctor finds wrong with the rows; nothing, if all is well."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION group_concat_max_len = 1048576")
    checks = (*ORDER_CHECKS, *KEY_CHECKS, *CATALOGUE_CHECKS)
    results = [check.run(connection) for check in checks]
    return [result.line() for result in results if result.count]


def units(query: Query, product: dict[str, object]) -> tuple[int, int]:
    """Return how many units of a product are left, and how many living orders hold."""
    ((left, held),) = query(_UNITS, product["id"])
    return int(str(left)), int(str(held))
