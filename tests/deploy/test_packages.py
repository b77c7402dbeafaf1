"""What osls makes of serverless.yml, for each stage, without AWS."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from deployment.deploy import default_region
from deployment.osls import TEMPLATE, Osls, deploy
from deployment.target import STAGES
from local_system.failures import LocalSystemError
from local_system.progress import Silence
from orchestrator_image.function import _seconds_left
from orchestrator_image.settings import PATIENCE, load
from tests.deploy.targets import IMAGE_URI, SECRETS, SETTINGS, target

pytestmark = pytest.mark.deploy

ROUTE = "POST /orchestrator/create-and-confirm-order"
API_LIMIT_SECONDS = 30
RETENTION_DAYS = {"dev": 14, "prod": 90}


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def template(packages: dict[str, Path], stage: str) -> Any:
    return json.loads((packages[stage] / TEMPLATE).read_text())


@pytest.fixture
def function(template: Any) -> Any:
    return only("AWS::Lambda::Function", template)


def all_of(kind: str, template: Any) -> list[Any]:
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]


def only(kind: str, template: Any) -> Any:
    (properties,) = all_of(kind, template)
    return properties


def statements(template: Any) -> Iterator[Any]:
    for policy in only("AWS::IAM::Role", template)["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def texts(value: Any) -> list[str]:
    """Return every text anywhere in a JSON value."""
    if isinstance(value, dict):
        return [text for member in value.values() for text in texts(member)]
    if isinstance(value, list):
        return [text for member in value for text in texts(member)]
    return [value] if isinstance(value, str) else []


def test_cfn_lint_has_nothing_to_say(packages: dict[str, Path], stage: str) -> None:
    templates = sorted(packages[stage].glob("*template*.json"))

    assert len(templates) == 2
    assert cfn_lint(*templates) == ""


def cfn_lint(*templates: Path) -> str:
    """Return what cfn-lint has to say."""
    linter = Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run([linter, *templates], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode or done.stdout else ""


def test_the_function_is_the_image_of_one_digest(function: Any) -> None:
    assert function["PackageType"] == "Image"
    assert function["Code"] == {"ImageUri": IMAGE_URI}
    assert function["Architectures"] == ["x86_64"]


def test_the_api_calls_it_with_payload_2_0_on_one_route(template: Any) -> None:
    api = only("AWS::ApiGatewayV2::Api", template)
    integration = only("AWS::ApiGatewayV2::Integration", template)
    route = only("AWS::ApiGatewayV2::Route", template)
    permission = only("AWS::Lambda::Permission", template)

    assert api["ProtocolType"] == "HTTP"
    assert route["RouteKey"] == ROUTE
    assert (integration["IntegrationType"], integration["PayloadFormatVersion"]) == (
        "AWS_PROXY",
        "2.0",
    )
    assert permission["Principal"] == "apigateway.amazonaws.com"
    # Of no other API of the account.
    assert {"Ref": "HttpApi"} in permission["SourceArn"]["Fn::Join"][1]


def test_the_handler_gives_up_before_the_function_and_the_function_before_the_api(
    template: Any, function: Any
) -> None:
    timeout = function["Timeout"]
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: timeout * 1000)
    integration = only("AWS::ApiGatewayV2::Integration", template)

    handler = _seconds_left(context, PATIENCE)

    assert handler < timeout < integration["TimeoutInMillis"] / 1000 <= API_LIMIT_SECONDS
    # Where the runtime says nothing, the handler counts on no more than what is deployed.
    assert PATIENCE.time_left_by_default <= timeout
    # Each step has time for one attempt at the least, and something is left for the last.
    assert PATIENCE.customers.total + PATIENCE.orders.total < handler


def test_the_route_is_throttled(template: Any, stage: str) -> None:
    (api_stage,) = (
        resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Stage"
    )
    (route,) = (
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    )

    assert api_stage["Properties"]["RouteSettings"] == {
        ROUTE: {
            "dev": {"ThrottlingRateLimit": 10, "ThrottlingBurstLimit": 20},
            "prod": {"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 200},
        }[stage]
    }
    # AWS refuses settings of a route that does not exist yet.
    assert route in api_stage["DependsOn"]


def test_so_many_run_at_once_and_no_more(function: Any, stage: str) -> None:
    assert function["ReservedConcurrentExecutions"] == {"dev": 5, "prod": 50}[stage]
    assert function["MemorySize"] == 512


def test_a_stage_of_a_small_account_reserves_nothing(clone: Path, tmp_path: Path) -> None:
    file = clone / "serverless.yml"
    written = file.read_text()
    file.write_text(written.replace("reserved-concurrency: 5", "reserved-concurrency: none"))
    try:
        template = Osls(clone, Silence()).packaged(target("dev"), IMAGE_URI, tmp_path)
    finally:
        file.write_text(written)

    function = only("AWS::Lambda::Function", template)
    assert function["ReservedConcurrentExecutions"] == {"Ref": "AWS::NoValue"}
    assert cfn_lint(tmp_path / TEMPLATE) == ""


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "sa-east-1"}, "sa-east-1"),
        ({"AWS_DEFAULT_REGION": "sa-east-1", "AWS_REGION": "eu-west-3"}, "eu-west-3"),
    ],
)
def test_osls_alone_takes_the_region_that_the_script_takes(
    clone: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    region: str,
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    given = [word for word in deploy(target("dev"), IMAGE_URI, "id") if word.startswith("--param")]

    Osls(clone, Silence()).run(["package", "--stage=dev", *given, f"--package={tmp_path}"])

    role = only("AWS::IAM::Role", json.loads((tmp_path / TEMPLATE).read_text()))
    assert role["RoleName"].endswith(f"-dev-{region}")
    assert default_region() == region


def test_logs_are_json_and_kept_for_so_long(template: Any, function: Any, stage: str) -> None:
    groups = all_of("AWS::Logs::LogGroup", template)
    access = only("AWS::ApiGatewayV2::Stage", template)["AccessLogSettings"]

    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert {group["LogGroupName"] for group in groups} == {
        f"/aws/lambda/{function['FunctionName']}",
        f"/aws/http-api/b2b-back-office-{stage}",
    }
    assert [group["RetentionInDays"] for group in groups] == [RETENTION_DAYS[stage]] * 2
    # It leads from a call of the API to the function's own lines.
    assert json.loads(access["Format"])["integrationRequestId"] == "$context.integration.requestId"


def test_calls_are_traced(template: Any, function: Any) -> None:
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert any("xray:PutTraceSegments" in statement["Action"] for statement in statements(template))


def test_the_role_may_write_its_own_logs_and_traces_and_nothing_else(
    template: Any, function: Any
) -> None:
    actions = {action for statement in statements(template) for action in statement["Action"]}
    group = f":log-group:/aws/lambda/{function['FunctionName']}:*"

    assert actions == {
        "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:TagResource",
        "xray:PutTraceSegments", "xray:PutTelemetryRecords",
    }  # fmt: skip
    for statement in statements(template):
        assert statement["Effect"] == "Allow"
        if statement["Action"][0].startswith("xray:"):
            assert statement["Resource"] == ["*"]  # X-Ray knows no resources
        else:
            assert [resource["Fn::Sub"].count(group) for resource in statement["Resource"]] == [1]
    trust = only("AWS::IAM::Role", template)["AssumeRolePolicyDocument"]["Statement"]
    assert [statement["Principal"] for statement in trust] == [
        {"Service": ["lambda.amazonaws.com"]}
    ]


def test_secrets_are_references_to_the_stages_own_secret(function: Any, stage: str) -> None:
    variables = function["Environment"]["Variables"]

    secret = f"{{{{resolve:secretsmanager:b2b-back-office/{stage}:SecretString"

    # Lambda's variables cannot refer to a secure parameter of SSM, to Secrets Manager they can.
    assert {name: variables[name] for name in SECRETS} == {
        name: f"{secret}:{name}:AWSCURRENT}}}}" for name in SECRETS
    }
    assert {name: variables[name] for name in SETTINGS} == SETTINGS
    assert variables["ENVIRONMENT"] == "production"


def test_the_function_starts_with_these_variables_once_the_secrets_are_resolved(
    function: Any,
) -> None:
    settings = load({**function["Environment"]["Variables"], **SECRETS})

    assert settings.orders_api_base == SETTINGS["ORDERS_API_BASE"]


def test_no_secret_is_in_clear_in_any_file_of_the_package(packages: dict[str, Path]) -> None:
    written = [file.read_text() for folder in packages.values() for file in folder.rglob("*.json")]

    assert len(written) == 3 * len(STAGES)
    assert [value for value in SECRETS.values() for text in written if value in text] == []
    assert "in-clear" not in (Path(__file__).parents[2] / "serverless.yml").read_text()


def test_two_alarms_watch_the_function_and_one_the_api(template: Any, function: Any) -> None:
    alarms = {
        (alarm["Namespace"], alarm["MetricName"]): alarm
        for alarm in all_of("AWS::CloudWatch::Alarm", template)
    }

    assert alarms.keys() == {
        ("AWS/Lambda", "Errors"), ("AWS/Lambda", "Duration"), ("AWS/ApiGateway", "5xx"),
    }  # fmt: skip
    duration = alarms["AWS/Lambda", "Duration"]
    assert 0 < duration["Threshold"] < function["Timeout"] * 1000
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["TreatMissingData"] == "notBreaching"
        (dimension,) = alarm["Dimensions"]
        assert dimension["Value"]["Ref"] in template["Resources"]


def test_everything_that_can_be_is_tagged(template: Any, stage: str) -> None:
    wanted = {"project": "b2b-back-office", "stage": stage, "managed-by": "serverless.yml"}

    for kind in ("AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"):
        assert only(kind, template)["Tags"] == wanted
    for kind in ("AWS::Lambda::Function", "AWS::IAM::Role"):
        tags = only(kind, template)["Tags"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == wanted


def test_what_osls_uploads_is_encrypted_and_never_public(template: Any) -> None:
    bucket = only("AWS::S3::Bucket", template)

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]


def test_the_excerpt_in_the_document_is_what_is_packaged(packages: dict[str, Path]) -> None:
    written = (Path(__file__).parents[2] / "docs" / "deployment.md").read_text()
    excerpt = yaml.safe_load(written.partition("```yaml\n")[2].partition("```")[0])
    packaged = json.loads((packages["prod"] / TEMPLATE).read_text())

    assert len(excerpt["Resources"]) > 4
    assert common(excerpt, packaged) == excerpt


def common(part: Any, whole: Any) -> Any:
    """Return of a JSON value what it has in common with another, its members alone compared."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return {name: common(part[name], whole[name]) for name in part if name in whole}
    return whole


def test_nothing_is_named_that_the_other_stage_names(packages: dict[str, Path]) -> None:
    named = re.compile(r"(FunctionName|RoleName|LogGroupName|TopicName)$")
    names = [
        {
            value
            for resource in json.loads((folder / TEMPLATE).read_text())["Resources"].values()
            for key, value in resource["Properties"].items()
            if named.match(key) and isinstance(value, str)
        }
        for folder in packages.values()
    ]

    assert [len(of_stage) for of_stage in names] == [5, 5]
    assert names[0].isdisjoint(names[1])


def test_a_stage_that_nobody_has_described_cannot_be_packaged(
    clone: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LocalSystemError):
        Osls(clone, Silence()).packaged(target("staging"), IMAGE_URI, tmp_path)

    assert 'Value not found at "param" source' in capfd.readouterr().err
