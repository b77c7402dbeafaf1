"""moto's stand-in for AWS, with one part made real: ECR's images are those of a Docker registry.

Started as a program: ``aws_on_loopback.py PORT REGISTRY_PORT``. ECR says that its repositories are
at the registry, so that what is pushed there is really pushed, and knows the images that are there.

What moto 5.2 ignores, so that a stack that is complete here says nothing about it:

- AWS::ApiGatewayV2::* (the API, its stage with the throttling, the integration, the route): not
  made, and a reference to the API stays as text: the URL that is printed has no API id;
- AWS::CloudWatch::Alarm, AWS::S3::BucketPolicy: not made;
- of the function: Architectures, PackageType, Tags, LoggingConfig and TracingConfig are not kept;
  ImageUri is not looked up; it is never run;
- ``{{resolve:secretsmanager:...}}``: left as text, where CloudFormation puts in the value;
- who may do what: every call is allowed; IAM's documents are kept and never applied;
- limits of the account, such as the concurrency that must stay unreserved; lifecycle rules and
  scans of ECR are written down and never run.

The tests of the packaged templates (``test_packages.py``) hold what is in that list as far as a
template can; ``test_sam_local.py`` sees that the API really calls the function.
"""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from functools import wraps
from typing import Any

from moto import server
from moto.cloudformation.models import CloudFormationBackend
from moto.ecr.models import ECRBackend, Repository
from moto.ecr.responses import ECRResponse

# Methods of moto's are replaced below, since it has no other way in; mypy is told so at each.
ADDRESS = "127.0.0.1"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Registry:
    """A Docker registry, read."""

    def __init__(self, port: int) -> None:
        self.host = f"{ADDRESS}:{port}"

    def images(self, repository: str) -> Iterable[tuple[str, str, str]]:
        """Return tag, manifest and digest of each image."""
        try:
            tags = json.loads(self._get(f"{repository}/tags/list")[0])["tags"] or []
        except urllib.error.HTTPError:
            return
        for tag in tags:
            yield (tag, *self._get(f"{repository}/manifests/{tag}"))

    def _get(self, path: str) -> tuple[str, str]:
        request = urllib.request.Request(f"http://{self.host}/v2/{path}")
        request.add_header("Accept", f"{MANIFEST}, {OCI_MANIFEST}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode(), answer.headers.get("Docker-Content-Digest", "")


def keep_images_in(registry: Registry) -> None:
    """Make moto's ECR one of this registry."""
    create, describe = Repository.__init__, ECRBackend.describe_images
    authorize = ECRResponse.get_authorization_token

    @wraps(create)
    def at_the_registry(self: Any, *arguments: Any, **named: Any) -> None:
        create(self, *arguments, **named)
        self.uri = f"{registry.host}/{self.name}"

    @wraps(describe)
    def with_what_was_pushed(self: Any, repository_name: str, *rest: Any, **named: Any) -> Any:
        repository = self.repositories.get(repository_name)
        known = (
            {tag for image in repository.images for tag in image.image_tags} if repository else ()
        )
        for tag, manifest, digest in registry.images(repository_name):
            if repository and tag not in known:
                self.put_image(repository_name, manifest, tag, digest=digest)
        return describe(self, repository_name, *rest, **named)

    @wraps(authorize)
    def for_the_registry(self: Any) -> Any:
        answer: Any = authorize(self)
        for authorization in answer.result["authorizationData"]:
            authorization["proxyEndpoint"] = f"http://{registry.host}"
        return answer

    Repository.__init__ = at_the_registry  # type: ignore[method-assign]
    ECRBackend.describe_images = with_what_was_pushed  # type: ignore[method-assign]
    ECRResponse.get_authorization_token = for_the_registry  # type: ignore[method-assign]


def take_any_template() -> None:
    """Leave cfn-lint to the tests of the templates: moto would refuse one for any advice of it."""

    def nothing_wrong(_self: Any, template: str) -> list[Any]:
        return [] if template else ["there is no template"]

    CloudFormationBackend.validate_template = nothing_wrong  # type: ignore[method-assign,assignment]


def know_exports_of_updates() -> None:
    """Let a stack be removed whose outputs came with an update; moto fails, and then removes it."""
    delete = CloudFormationBackend.delete_stack

    @wraps(delete)
    def with_exports(self: Any, name_or_stack_id: str) -> None:
        for stack in self.stacks.values():
            for export in stack.exports:
                self.exports.setdefault(export.name, export)
        delete(self, name_or_stack_id)

    CloudFormationBackend.delete_stack = with_exports  # type: ignore[method-assign]


if __name__ == "__main__":
    keep_images_in(Registry(int(sys.argv[2])))
    take_any_template()
    know_exports_of_updates()
    server.main(["--host", ADDRESS, "--port", sys.argv[1]])
