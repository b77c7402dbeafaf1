"""What the service says of itself, in OpenAPI."""

from pathlib import Path

from customers_api import problems
from customers_api.routes import routes
from service_kit import openapi_guide as guide
from service_kit.openapi import About, build_document
from service_kit.openapi_components import Document
from service_kit.operations import OPERATIONS_TAG, operational_routes
from service_kit.schemas import KIT_SCHEMAS, Schemas

SCHEMAS = Path(__file__).parent / "schemas"

ABOUT = About(
    title="Customers API",
    version="1.0.0",
    description=guide.introduction(
        "The customers of the B2B order back office: who they are and how they are reached.",
        guide.WHO_MAY_CALL,
        guide.SERVICES_TOO,
        guide.ERRORS,
        guide.INPUT,
        guide.LISTS,
        guide.VERSIONS,
    ),
    tags={
        "customers": "Create, find, change and delete customers.",
        "internal": "What the other services ask; with the services' token alone.",
        **OPERATIONS_TAG,
    },
    refusals=(problems,),
)
"""The version is that of what clients see, not of the code."""


def document() -> Document:
    """Return the OpenAPI document of all that the service answers."""
    table = [*routes(), *operational_routes()]
    return build_document(ABOUT, table, Schemas(KIT_SCHEMAS, SCHEMAS))
