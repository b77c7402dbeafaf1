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
        description: >-
          A customer needs a name and an e-mail that no other customer has; a phone is optional.
          There is no idempotency key here: after an answer that got lost, a repeat is refused
          with `EMAIL_TAKEN` if the first call was done.
        operationId: createCustomer
        tags: [customers]
        x-body: CustomerInput
        x-body-examples:
          without a phone: {name: Nordwind GmbH, email: einkauf@nordwind.example}
        x-answers: {"201": Customer}
        x-answer-headers: [ETag, Location]
        x-example:
          id: 7
          name: Bolts Ltd
          email: ops@bolts.example
          phone: "+44 20 5550 0101"
          created_at: "2026-01-12T09:00:00.000Z"
          updated_at: "2026-01-12T09:00:00.000Z"
        x-links:
          getCustomer: {customer_id: $response.body#/id}
          replaceCustomer:
            customer_id: $response.body#/id
            header.If-Match: $response.header.ETag
          deleteCustomer:
            customer_id: $response.body#/id
            header.If-Match: $response.header.ETag
        x-problems: [EMAIL_TAKEN]
        x-refused: {name: "", email: ops at acme}
        """
        details = CustomerDetails.from_input(self.json_body("CustomerInput"))
        customer = await self.customers.create(details)
        self.created(f"/customers/{customer.id}", customer.document(), etag=customer.etag)

    async def get(self) -> None:
        """List customers.

        ---
        summary: List or search customers
        description: >-
          Newest first. With `search`, those in whose name, e-mail or phone every word given begins
          a word; the case and the accents of letters do not matter. Deleted customers are not
          there.
        operationId: listCustomers
        tags: [customers]
        x-query: CustomersQuery
        x-answers: {"200": CustomerList}
        x-links:
          listCustomers: {cursor: $response.body#/next_cursor}
        x-refused: {limit: 500}
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
        description: One customer, as it is now. A deleted one is not found.
        operationId: getCustomer
        tags: [customers]
        x-answers: {"200": Customer}
        x-answer-headers: [ETag]
        x-links:
          replaceCustomer:
            customer_id: $response.body#/id
            header.If-Match: $response.header.ETag
        x-problems: [CUSTOMER_NOT_FOUND]
        """
        customer = await self.customers.get(self.path_id(customer_id))
        self.reply(customer.document(), etag=customer.etag)

    async def put(self, customer_id: str) -> None:
        """Replace a customer.

        ---
        summary: Replace a customer
        description: >-
          Name, e-mail and phone become what is sent; a phone that is left out is gone. With
          `If-Match` only the version that you have seen is replaced.
        operationId: replaceCustomer
        tags: [customers]
        x-headers: [If-Match]
        x-body: CustomerInput
        x-body-example: {name: ACME, email: ops@acme.com, phone: +34 910 000 001}
        x-answers: {"200": Customer}
        x-answer-headers: [ETag]
        x-example: {updated_at: "2026-01-05T09:30:00.000Z"}
        x-links:
          getCustomer: {customer_id: $response.body#/id}
        x-problems: [CUSTOMER_NOT_FOUND, EMAIL_TAKEN, PRECONDITION_FAILED]
        x-refused: {name: ACME}
        """
        number = self.path_id(customer_id)
        details = CustomerDetails.from_input(self.json_body("CustomerInput"))
        customer = await self.customers.replace(number, details, self.precondition())
        self.reply(customer.document(), etag=customer.etag)

    async def delete(self, customer_id: str) -> None:
        """Delete a customer.

        ---
        summary: Delete a customer
        description: >-
          The customer is not found any more and takes no more orders; its orders stay, and its
          e-mail is free for another. A second call is answered by `CUSTOMER_NOT_FOUND`.
        operationId: deleteCustomer
        tags: [customers]
        x-headers: [If-Match]
        x-answers: {"204": null}
        x-problems: [CUSTOMER_NOT_FOUND, PRECONDITION_FAILED]
        """
        await self.customers.delete(self.path_id(customer_id), self.precondition())
        self.clear_header("Content-Type")
        self.set_status(HTTPStatus.NO_CONTENT)


class InternalCustomerHandler(JsonHandler):
    """One customer, for the other services."""

    access = Access.SERVICES
    customers: CustomerService

    async def get(self, customer_id: str) -> None:
        """Return a customer to a service.

        ---
        summary: Read a customer, as a service
        description: >-
          The same as `GET /customers/{customer_id}`, for the Orders API and the orchestrator. The
          gateway does not pass it on.
        operationId: getCustomerForService
        tags: [internal]
        x-answers: {"200": Customer}
        x-answer-headers: [ETag]
        x-problems: [CUSTOMER_NOT_FOUND]
        """
        customer = await self.customers.get(self.path_id(customer_id))
        self.reply(customer.document(), etag=customer.etag)


def _cursor(customer: Customer) -> str:
    return paging.id_cursor(_LIST, customer.id)
