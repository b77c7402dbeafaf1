"""What the tests deploy, where nothing depends on it."""

from deployment.target import Target

REGION = "eu-west-1"
IMAGE_URI = (
    f"123456789012.dkr.ecr.{REGION}.amazonaws.com/b2b-back-office/orchestrator@sha256:" + "5a" * 32
)
SETTINGS = {
    "CUSTOMERS_API_BASE": "https://customers.example",
    "ORDERS_API_BASE": "https://orders.example",
    "JWT_ISSUER": "an-issuer",
    "JWT_AUDIENCE": "an-audience",
}
SECRETS = {
    "JWT_SECRET": "in-clear-jwt-secret-of-more-than-32-bytes",
    "SERVICE_TOKEN": "in-clear-token",
}


def target(stage: str) -> Target:
    return Target(stage, REGION, "x86_64", SETTINGS)
