"""The image pushed, the stack deployed, updated and removed: by our tools, in front of moto.

`aws_on_loopback.py` lists what moto ignores; a stack that is complete says nothing about that.
"""

import json
import re

import aiohttp
import pytest

from deployment.emulated import emulated, http_event
from deployment.repository import LIFECYCLE
from local_system.progress import Silence
from local_system.system import LocalSystem
from service_kit.settings import MINIMUM_SECRET_BYTES
from tests.apis import Api
from tests.builders import a_product
from tests.deploy.deployments import FUNCTION, Deployer
from tests.deploy.pushed_images import manifest_of, references_to
from tests.deploy.servers import Cloud
from tests.docker.composition import ROOT
from tests.docker.engine import docker
from tests.running_systems import token_of
from tests.system.orchestrations import PATH, a_request, first_answer

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600)]

COMPLETE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
NOWHERE = "sha256:" + "0" * 64


def test_a_deployment_ends_with_a_complete_stack_and_says_what_to_call(
    deployer: Deployer, printed: str, image_uri: str
) -> None:
    stack = deployer.stack("dev")

    assert stack["StackStatus"] in COMPLETE
    assert {tag["Key"]: tag["Value"] for tag in stack["Tags"]}["stage"] == "dev"
    assert re.search(rf"^url +https://\S+{PATH}$", printed, re.MULTILINE)
    assert "curl -s https://" in printed
    assert f"image   {image_uri}" in printed


def test_the_function_runs_the_digest_that_the_registry_took(cloud: Cloud, image_uri: str) -> None:
    media_type, manifest = manifest_of(image_uri)

    assert re.fullmatch(
        rf"{cloud.registry}/b2b-back-office/orchestrator@sha256:\w{{64}}", image_uri
    )
    # One image of one architecture: Lambda refuses an index.
    assert media_type.endswith(("image.manifest.v1+json", "manifest.v2+json"))
    assert "manifests" not in manifest


def test_the_repository_scans_keeps_tags_as_they_are_and_what_a_stage_runs(
    cloud: Cloud, image_uri: str
) -> None:
    ecr = cloud.client("ecr")
    name, _, digest = image_uri.partition("/")[2].partition("@")

    (repository,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    policy = ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    tagged = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "deployed-dev"}])

    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert json.loads(policy) == LIFECYCLE
    assert [image["imageDigest"] for image in tagged["imageDetails"]] == [digest]


def test_no_secret_is_in_clear_in_the_stack(
    deployer: Deployer, cloud: Cloud, image_uri: str, told: dict[str, str]
) -> None:
    template = cloud.client("cloudformation").get_template(StackName="b2b-back-office-dev")
    variables = deployer.variables("dev")
    resolved = deployer.resolved(variables)

    for name in ("JWT_SECRET", "SERVICE_TOKEN"):
        assert told[name] not in json.dumps(template["TemplateBody"])
        assert told[name] not in variables[name]
        assert told[name] in resolved[name].split(",")


def test_the_same_command_again_builds_nothing_and_changes_nothing(
    deployer: Deployer, image_uri: str
) -> None:
    before = deployer.stack("dev")

    done = deployer.run("--stage", "dev")

    assert done.returncode == 0, done.stderr
    assert "is there already" in done.stderr
    # The services of this test listen on loopback, without TLS.
    assert "warning: CUSTOMERS_API_BASE is not https://" in done.stderr
    assert "No changes to deploy" in done.stderr
    assert deployer.stack("dev") == before
    assert deployer.image_uri("dev") == image_uri


def test_a_rotated_secret_is_a_change_and_the_function_refers_to_the_new_one(
    deployer: Deployer, image_uri: str, told: dict[str, str]
) -> None:
    both = f"{'n' * MINIMUM_SECRET_BYTES},{told['JWT_SECRET']}"
    version = deployer.rotate("dev", {**told, "JWT_SECRET": both})

    deployer.deployed("--stage", "dev", "--image-digest", image_uri)

    rotated = deployer.variables("dev")
    assert version in rotated["JWT_SECRET"]
    assert deployer.resolved(rotated)["JWT_SECRET"] == both
    assert deployer.image_uri("dev") == image_uri


async def test_the_pushed_digest_is_pulled_and_takes_an_order(
    deployer: Deployer, cloud: Cloud, image_uri: str, system: LocalSystem
) -> None:
    for reference in references_to(cloud.registry):
        docker("image", "rm", reference)
    docker("pull", image_uri, seconds=300)
    operator = token_of(system)
    variables = deployer.resolved(deployer.variables("dev"))
    configuration = cloud.client("lambda").get_function_configuration(
        FunctionName=FUNCTION.format(stage="dev")
    )

    with emulated(image_uri, variables, configuration["Timeout"], ROOT, Silence()) as function:
        function.start()
        async with aiohttp.ClientSession() as session:
            orders = Api(session, system.orders_url, operator)
            product = await a_product(orders)
            asked = http_event(a_request(product), operator)
            answer = await first_answer(Api(session, function.url, None), asked)
            written = json.loads(answer["body"])
            order = (await orders.get(f"/orders/{written['data']['order']['id']}")).json

    assert answer["statusCode"] == 201
    assert order["status"] == "CONFIRMED"
    assert order["items"][0]["product_id"] == product["id"]


def test_prod_is_given_the_digest_that_dev_has_tried_and_a_removed_stage_leaves_images_alone(
    deployer: Deployer, cloud: Cloud, image_uri: str
) -> None:
    digest = image_uri.partition("@")[2]
    deployer.deployed("--stage", "prod", "--image-digest", digest)
    prod = deployer.image_uri("prod")

    removed = deployer.deployed("--stage", "prod", "--remove")

    assert prod == image_uri
    assert "removed: stage prod. What it leaves: images in ECR" in removed
    assert left_of("prod", cloud) == []
    assert manifest_of(image_uri)
    # The other stage is untouched.
    assert deployer.image_uri("dev") == image_uri


def test_the_plain_deploy_builds_and_pushes_by_itself(deployer: Deployer, cloud: Cloud) -> None:
    ecr, name = cloud.client("ecr"), "serverless-b2b-back-office-prod"

    deployer.osls("deploy", "--stage", "prod")

    uri = deployer.image_uri("prod")
    (repository,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    policy = json.loads(ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
    assert uri.startswith(f"{cloud.registry}/{name}@sha256:")
    assert "manifests" not in manifest_of(uri)[1]
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert policy["rules"][0]["selection"]["countNumber"] == 20

    deployer.osls("remove", "--stage", "prod")
    assert left_of("prod", cloud) == []


def left_of(stage: str, cloud: Cloud) -> list[str]:
    """Return the names of what a stage has in AWS, besides its parameters and its secret."""
    buckets = cloud.client("s3").list_buckets()["Buckets"]
    names = [
        *(f["FunctionName"] for f in cloud.client("lambda").list_functions()["Functions"]),
        *(role["RoleName"] for role in cloud.client("iam").list_roles()["Roles"]),
        *(g["logGroupName"] for g in cloud.client("logs").describe_log_groups()["logGroups"]),
        *(topic["TopicArn"] for topic in cloud.client("sns").list_topics()["Topics"]),
        *(bucket["Name"] for bucket in buckets),
    ]
    return [name for name in names if stage in name]


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("--image-digest", NOWHERE), {}, "has no image sha256:0000"),
        (("--image-digest", "latest"), {}, "a digest is sha256: and 64 hexadecimal digits"),
        ((), {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no AWS credentials"),
        ((), {"DOCKER_HOST": "tcp://127.0.0.1:1"}, "the Docker engine does not answer you: "),
        (("--region", "us-east-1"), {}, "the parameter store has no /b2b-back-office/dev/"),
        (
            ("--region", "us-east-1"),
            {
                "CUSTOMERS_API_BASE": "https://c.example", "ORDERS_API_BASE": "https://o.example",
                "JWT_ISSUER": "issuer", "JWT_AUDIENCE": "audience",
            },
            "there is no secret b2b-back-office/dev",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_in_one_line(
    deployer: Deployer, arguments: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    done = deployer.run("--stage", "dev", *arguments, **variables)

    assert done.returncode != 0
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
