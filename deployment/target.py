"""What is deployed and where to: the words of the command line, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

SERVICE = "b2b-back-office"
"""The service of ``serverless.yml``: stacks, secrets and parameters are named after it."""

REPOSITORY = f"{SERVICE}/orchestrator"
"""One ECR repository for all stages: an image is built once, each stage is given its digest."""

STAGES = ("dev", "prod")
PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
"""AWS's name of an architecture, and Docker's."""
DEFAULT_ARCHITECTURE = "x86_64"

SETTINGS = ("CUSTOMERS_API_BASE", "ORDERS_API_BASE", "JWT_ISSUER", "JWT_AUDIENCE")
"""What the function must be told and is no secret; see `ssm_parameter`."""


@dataclass(frozen=True, slots=True)
class Target:
    """One stage in one region.

    ``settings`` are those of `SETTINGS` that were given here; AWS's parameter store has the rest.
    """

    stage: str
    region: str
    architecture: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def platform(self) -> str:
        """The architecture as Docker calls it."""
        return PLATFORMS[self.architecture]

    @property
    def stack(self) -> str:
        """The CloudFormation stack, as osls names it."""
        return f"{SERVICE}-{self.stage}"

    @property
    def function(self) -> str:
        """The function's name in ``serverless.yml``."""
        return f"{SERVICE}-orchestrator-{self.stage}"

    @property
    def secret(self) -> str:
        """The secret in Secrets Manager, a JSON object of ``JWT_SECRET`` and ``SERVICE_TOKEN``."""
        return f"{SERVICE}/{self.stage}"

    @property
    def left(self) -> str:
        """What of the target is in AWS still when its stack has been removed, for a person."""
        return (
            f"images in ECR ({REPOSITORY}), the secret {self.secret}, "
            f"parameters of /{SERVICE}/{self.stage}/; but no logs"
        )

    def without_aws(self) -> "Target":
        """Return the target with a stand-in for each setting that only AWS knows."""
        stand_ins = {name: f"https://ssm.invalid{self.ssm_parameter(name)}" for name in SETTINGS}
        return replace(self, settings={**stand_ins, **self.settings})

    def ssm_parameter(self, setting: str) -> str:
        """Return the name in the parameter store under which osls looks a setting up."""
        return f"/{SERVICE}/{self.stage}/{parameter_name(setting)}"


def parameter_name(setting: str) -> str:
    """Return the name of a setting in ``serverless.yml`` (``CUSTOMERS_API_BASE``)."""
    return setting.lower().replace("_", "-")
