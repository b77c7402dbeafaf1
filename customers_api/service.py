"""The use cases of customers; each write is one transaction."""

from customers_api import repository
from customers_api.problems import CustomerNotFound, EmailTaken
from customers_api.rules import Customer, CustomerDetails
from service_kit.database import Database
from service_kit.database_attempts import Work
from service_kit.database_connections import Connection
from service_kit.database_errors import Duplicate
from service_kit.versions import Precondition


class CustomerService:
    """What operators do with customers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, details: CustomerDetails) -> Customer:
        """Add a customer.

        Raises:
            EmailTaken: another one has the e-mail.
        """

        async def work(connection: Connection) -> Customer:
            customer_id = await repository.insert(connection, details)
            return _found(await repository.get(connection, customer_id))

        return await self._write(work)

    async def get(self, customer_id: int) -> Customer:
        """Return a customer.

        Raises:
            CustomerNotFound: there is none, or it was deleted.
        """
        return _found(
            await self._database.read(lambda connection: repository.get(connection, customer_id))
        )

    async def page(self, search: str | None, before_id: int, rows: int) -> list[Customer]:
        """Return customers newest first, from below an id on."""
        return await self._database.read(
            lambda connection: repository.page(connection, search, before_id, rows)
        )

    async def replace(
        self, customer_id: int, details: CustomerDetails, precondition: Precondition
    ) -> Customer:
        """Replace all that is said of a customer.

        Raises:
            CustomerNotFound, EmailTaken, PreconditionFailed: it cannot be done.
        """

        async def work(connection: Connection) -> Customer:
            customer = _found(await repository.lock(connection, customer_id))
            precondition.check(customer.etag)
            await repository.update(connection, customer_id, details)
            return _found(await repository.get(connection, customer_id))

        return await self._write(work)

    async def delete(self, customer_id: int, precondition: Precondition) -> None:
        """Delete a customer softly.

        Raises:
            CustomerNotFound, PreconditionFailed: it cannot be done.
        """

        async def work(connection: Connection) -> None:
            customer = _found(await repository.lock(connection, customer_id))
            precondition.check(customer.etag)
            await repository.mark_deleted(connection, customer_id)

        await self._database.transaction(work)

    async def _write(self, work: Work[Customer]) -> Customer:
        try:
            return await self._database.transaction(work)
        except Duplicate as error:
            if error.key != repository.EMAIL_KEY:
                raise
            raise EmailTaken from error


def _found(customer: Customer | None) -> Customer:
    if customer is None:
        raise CustomerNotFound
    return customer
