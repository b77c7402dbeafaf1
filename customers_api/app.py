"""The composition root: settings in, an application with its table of routes out."""

from customers_api.document import SCHEMAS, document
from customers_api.routes import routes
from customers_api.service import CustomerService
from customers_api.settings import Settings
from service_kit.admission import Admission
from service_kit.application import ServiceApplication
from service_kit.database import Database
from service_kit.metrics import Metrics
from service_kit.operations import built_once, operational_routes
from service_kit.schemas import KIT_SCHEMAS, Schemas
from service_kit.serving import Closer
from service_kit.tokens import Authenticator, OperatorTokens, ServiceTokens

NAME = "customers_api"


async def open_application(settings: Settings) -> tuple[ServiceApplication, Closer]:
    """Return the application, and what closes all that it opened."""
    metrics = Metrics()
    schemas = Schemas(KIT_SCHEMAS, SCHEMAS)
    database = Database(settings.database, metrics)
    application = ServiceApplication(
        [
            *routes(CustomerService(database)),
            *operational_routes(database.ping, metrics, built_once(document)),
        ],
        authenticator=Authenticator(
            OperatorTokens(settings.jwt), ServiceTokens(settings.service_tokens)
        ),
        schemas=schemas,
        metrics=metrics,
        log_requests=settings.serving.access_log,
        admission=Admission(),
    )
    return application, database.close
