"""The refusals that are the Customers API's own."""

from service_kit.problems import Problem


class CustomerNotFound(Problem):
    """No customer has this id, or it was deleted."""

    status = 404
    code = "CUSTOMER_NOT_FOUND"
    title = "There is no such customer"


class EmailTaken(Problem):
    """Another customer has this e-mail."""

    status = 409
    code = "EMAIL_TAKEN"
    title = "Another customer has this e-mail"
