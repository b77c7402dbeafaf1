"""HTTP in, HTTP out. The operation documents stand in the docstrings, for OpenAPI."""

from http import HTTPStatus

from customers_api.rules import Customer, CustomerDetails
from customers_api.service import CustomerService
from service_kit import paging
from service_kit.handlers import Access, JsonHandler

_LIST = "customers"


class CustomersHandler(JsonHandler):
    """All customers."""

    customers: CustomerService

    async def post(self) -> None:
        """Create a customer.

        ---
        summary: Create a customer
        operationId: createCustomer
        tags: [customers]
        x-body: CustomerInput
        x-answers: {"201": Customer}
        x-answer-headers: [ETag, Location]
        x-problems: {"409": [EMAIL_TAKEN]}
        """
        details = CustomerDetails.from_input(self.json_body("CustomerInput"))
        customer = await self.customers.create(details)
        self.created(f"/customers/{customer.id}", customer.document(), etag=customer.etag)

    async def get(self) -> None:
        """List customers.

        ---
        summary: List customers, newest first, or search them
        operationId: listCustomers
        tags: [customers]
        x-query: CustomersQuery
        x-answers: {"200": CustomerList}
        """
        query = self.query("CustomersQuery")
        limit = query.get("limit", paging.DEFAULT_LIMIT)
        before_id = paging.read_id_cursor(_LIST, query.get("cursor"))
        rows = await self.customers.page(query.get("search") or None, before_id, limit + 1)
        self.reply(paging.page(rows, limit, Customer.document, _cursor))


class CustomerHandler(JsonHandler):
    """One customer."""

    customers: CustomerService

    async def get(self, customer_id: str) -> None:
        """Return a customer.

        ---
        summary: Read a customer
        operationId: getCustomer
        tags: [customers]
        x-answers: {"200": Customer}
        x-answer-headers: [ETag]
        x-problems: {"404": [CUSTOMER_NOT_FOUND]}
        """
        customer = await self.customers.get(self.path_id(customer_id))
        self.reply(customer.document(), etag=customer.etag)

    async def put(self, customer_id: str) -> None:
        """Replace a customer.

        ---
        summary: Replace all that is said of a customer
        operationId: replaceCustomer
        tags: [customers]
        x-headers: [If-Match]
        x-body: CustomerInput
        x-answers: {"200": Customer}
        x-answer-headers: [ETag]
        x-problems:
          "404": [CUSTOMER_NOT_FOUND]
          "409": [EMAIL_TAKEN]
          "412": [PRECONDITION_FAILED]
        """
        number = self.path_id(customer_id)
        details = CustomerDetails.from_input(self.json_body("CustomerInput"))
        customer = await self.customers.replace(number, details, self.if_match())
        self.reply(customer.document(), etag=customer.etag)

    async def delete(self, customer_id: str) -> None:
        """Delete a customer.

        ---
        summary: Delete a customer; the row stays for its orders
        operationId: deleteCustomer
        tags: [customers]
        x-headers: [If-Match]
        x-answers: {"204": null}
        x-problems:
          "404": [CUSTOMER_NOT_FOUND]
          "412": [PRECONDITION_FAILED]
        """
        await self.customers.delete(self.path_id(customer_id), self.if_match())
        self.clear_header("Content-Type")
        self.set_status(HTTPStatus.NO_CONTENT)


class InternalCustomerHandler(JsonHandler):
    """One customer, for the other services."""

    access = Access.SERVICES
    customers: CustomerService

    async def get(self, customer_id: str) -> None:
        """Return a customer to a service.

        ---
        summary: Read a customer, for services alone
        operationId: getCustomerForService
        tags: [internal]
        x-answers: {"200": Customer}
        x-answer-headers: [ETag]
        x-problems: {"404": [CUSTOMER_NOT_FOUND]}
        """
        customer = await self.customers.get(self.path_id(customer_id))
        self.reply(customer.document(), etag=customer.etag)


def _cursor(customer: Customer) -> str:
    return paging.id_cursor(_LIST, customer.id)
