"""What the service says of itself, in OpenAPI."""

from pathlib import Path

from orders_api import problems
from orders_api.routes import routes
from service_kit import openapi_guide as guide
from service_kit.openapi import About, build_document
from service_kit.openapi_components import Document
from service_kit.operations import OPERATIONS_TAG, operational_routes
from service_kit.schemas import KIT_SCHEMAS, Schemas

SCHEMAS = Path(__file__).parent / "schemas"

ABOUT = About(
    title="Orders API",
    version="1.0.0",
    description=guide.introduction(
        "Products with their stock, and orders: taken, confirmed once, canceled in time. No unit"
        " is sold twice.",
        guide.WHO_MAY_CALL,
        guide.SERVICES_TOO,
        guide.REPEATS,
        guide.ERRORS,
        guide.INPUT,
        guide.LISTS,
        guide.VERSIONS,
    ),
    tags={
        "products": "Create, find and change products; their stock goes with the orders.",
        "orders": "Take orders, confirm them, cancel them, find them.",
        **OPERATIONS_TAG,
    },
    refusals=(problems,),
)
"""The version is that of what clients see, not of the code."""


def document() -> Document:
    """Return the OpenAPI document of all that the service answers."""
    table = [*routes(), *operational_routes()]
    return build_document(ABOUT, table, Schemas(KIT_SCHEMAS, SCHEMAS))
