"""Are the rendered files the same bytes for the same declaration, whole, and fit to be applied by others?"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from landbridge.deploy.cloudformation import stacks
from landbridge.deploy.cloudformation.handover import fix_addresses
from landbridge.deploy.stack import ORDER
from landbridge.errors import DeclarationWrong
from tests.deploy.cfn.golden import kept_files, rendered_files
from tests.deploy.cfn.reading import read
from tests.deploy.cfn.variants import (
    ACCOUNT_IDS,
    ADOPT,
    CLUSTER,
    EIDV,
    EVERY,
    OUTPUTS,
    VARIANTS,
    acme,
    eidv,
    made,
    rendered,
)
from tests.servers.declared import declaration, feed

if TYPE_CHECKING:
    from landbridge.deploy.stack import Kind, Stack

_TEMPLATE, _POLICY = 51_200, 6_144
"""What CloudFormation takes as text (bytes), and IAM as one managed policy (characters without white space)."""
EACH = [(variant, kind) for variant in VARIANTS for kind in ORDER]


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_rendered_is_what_was_reviewed(variant: str) -> None:
    assert rendered_files(variant) == kept_files(variant)


def test_two_environments_have_the_same_templates_and_other_parameters() -> None:
    for declared, one, other in ((eidv(), "DEV", "PRD"), (acme(), "EVERY", "ADOPT")):
        here, there = stacks(declared, one), stacks(declared, other)
        assert [stack.template for stack in here] == [stack.template for stack in there]
        assert all(mine.parameters != theirs.parameters for mine, theirs in zip(here, there, strict=True))
        assert [list(stack.parameters) for stack in here] == [list(stack.parameters) for stack in there]


def test_no_name_of_an_environment_is_in_a_template() -> None:
    for stack in rendered(EIDV).values():
        assert not re.search(r"eidv|edbh|prd|eu-west-2|123456789012", stack.template)


def test_one_feed_more_in_one_environment_changes_no_template() -> None:
    upstream = {"kind": "files", "path": "s3://upstream/more/*.csv", "format": "csv"}
    more = feed(feed="more", sources={"rows": upstream}, environments=["EVERY"])
    grown = declaration(*acme().feeds.values(), more, project=acme().project.model_dump(mode="json"))
    before, after = stacks(acme(), "ADOPT"), stacks(grown, "ADOPT")
    assert [stack.parameters for stack in before if stack.kind != "identity"] == [
        stack.parameters for stack in after if stack.kind != "identity"
    ]
    sources = stacks(grown, "EVERY")[1].parameters
    assert sources["PodSource1Resources"] == "arn:aws:s3:::upstream/more/*"
    assert sources["PodSource2Resources"] == "arn:aws:s3:::upstream-every/in/*"
    assert stacks(grown, "ADOPT")[1].parameters["PodSource2Resources"] == ""
    assert stacks(grown, "ADOPT")[1].template == stacks(grown, "EVERY")[1].template


@pytest.mark.parametrize(("variant", "kind"), EACH)
def test_every_parameter_is_given_and_none_that_is_unknown(variant: str, kind: Kind) -> None:
    stack = rendered(variant)[kind]
    known = read(stack.template)["Parameters"]
    assert {*stack.parameters, *stack.inputs} == set(known)
    assert not set(stack.parameters) & set(stack.inputs)
    for name, value in stack.parameters.items():
        if pattern := known[name].get("AllowedPattern"):
            assert re.fullmatch(pattern, value), name
        if values := known[name].get("AllowedValues"):
            assert value in values, name


@pytest.mark.parametrize(("variant", "kind"), EACH)
def test_inputs_are_outputs_of_earlier_stacks(variant: str, kind: Kind) -> None:
    for name, output in rendered(variant)[kind].inputs.items():
        assert ORDER.index(output.stack) < ORDER.index(kind)
        assert output.name in made(variant, output.stack).outputs, name
        assert read(rendered(variant)[kind].template)["Parameters"][name]["AllowedPattern"]


@pytest.mark.parametrize(("variant", "kind"), EACH)
def test_nothing_is_exported_and_everything_is_small_enough(variant: str, kind: Kind) -> None:
    stack = rendered(variant)[kind]
    assert all("Export" not in output for output in read(stack.template)["Outputs"].values())
    assert len(stack.template.encode()) < _TEMPLATE
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", stack.name)
    for resource in made(variant, kind).of("AWS::IAM::ManagedPolicy").values():
        document = json.dumps(resource["Properties"]["PolicyDocument"], separators=(",", ":"))
        assert len(document) < _POLICY


@pytest.mark.parametrize("kind", ORDER)
def test_every_statement_and_resource_says_why(kind: Kind) -> None:
    lines = rendered(EVERY)[kind].template.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"\s+- Sid: \w+$", line) and "Tls" not in line:
            above = [lines[number - back].strip() for back in range(1, 5)]
            assert any(each.startswith("#") for each in above), line
    assert sum(line.strip().startswith("#") for line in lines) > 10


def test_a_project_with_an_underscore_has_stacks_that_can_be_named() -> None:
    project = {"project": "my_feeds", "aws": ACCOUNT_IDS}
    assert stacks(declaration(project=project), "DEV")[0].name == "landbridge-my-feeds-dev-storage"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "environments.DEV.aws"),
        ({"aws": ACCOUNT_IDS | {"dns": {"hosted_zone": "Z0123456789EXAMPLE"}}}, "aws.dns"),
        ({"aws": ACCOUNT_IDS | {"object_lock": {"days": 1}, "adopt": {"ledger": True}}}, "aws.object_lock"),
        ({"aws": ACCOUNT_IDS, "kubernetes": CLUSTER, "watch": {"every": "1h"}}, "watch.every"),
        ({"aws": ACCOUNT_IDS, "project": "a" * 40}, "project"),
        ({"aws": ACCOUNT_IDS, "region": "us-iso-east-1"}, "region"),
        (
            {
                "aws": ACCOUNT_IDS | {"endpoints": ["kms"], "endpoint_clients": ["10.65.0.0/16"]},
                "region": "cn-north-1",
            },
            "aws.endpoints",
        ),
    ],
)
def test_what_no_template_can_be_made_of_is_said_and_nothing_is_rendered(
    changes: dict[str, object], said: str
) -> None:
    with pytest.raises(DeclarationWrong) as wrong:
        stacks(declaration(project=changes), "DEV")
    assert [problem.path for problem in wrong.value.problems] == [said]
    assert wrong.value.exit == 78


@pytest.mark.parametrize(
    "changes",
    [
        {"kubernetes": CLUSTER, "watch": {"every": "30m"}},
        {"watch": {"every": "6h"}},  # on another scheduler: no alarm listens
    ],
)
def test_a_watch_that_no_alarm_takes_for_dead_is_accepted(changes: dict[str, object]) -> None:
    sftp = stacks(declaration(project={"aws": ACCOUNT_IDS} | changes), "DEV")[2]
    assert sftp.parameters["WatchTells"] == ("true" if "kubernetes" in changes else "false")


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoints": ["kms"]},
        {"endpoint_clients": ["10.65.0.0/16"]},
        {"public_keys": ["ssh-ed25519 AAAA with a comment, and a comma"]},
        {"adopt": {"access_logs": "No_Bucket"}},
    ],
)
def test_what_cannot_be_meant_is_refused_when_it_is_declared(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        declaration(project={"aws": ACCOUNT_IDS | changes})


_FIXED = ACCOUNT_IDS | {"addresses": ["10.64.12.10", "10.64.13.10"]}


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ({}, True),
        ({"addresses": ["10.64.12.11", "10.64.13.10"]}, True),
        ({"addresses": ["10.64.12.11", "10.64.13.11"]}, False),
        ({"addresses": []}, False),
        ({"vpc": "vpc-0f1e2d3c4b5a60718"}, False),
        (
            {"adopt": {"server": "s-0123456789abcdef0"}},
            False,
        ),  # the other one's server, by the same addresses
    ],
)
def test_two_servers_of_one_vpc_have_no_address_in_common(other: dict[str, object], shared: bool) -> None:
    environments = {"DEV": {}, "PRD": {"aws": _FIXED | other}}
    two = declaration(project={"aws": _FIXED, "environments": environments})
    for environment, its_neighbour in (("DEV", "PRD"), ("PRD", "DEV")):
        if not shared:
            assert stacks(two, environment)
            continue
        with pytest.raises(DeclarationWrong, match=r"10\.64\.13\.10") as wrong:
            stacks(two, environment)
        (problem,) = wrong.value.problems
        own = f"environments.{environment}." if environment == "PRD" else ""
        assert problem.path == f"{own}aws.addresses"
        assert f"`{its_neighbour}`" in problem.what


def test_a_list_that_no_parameter_can_hold_is_said() -> None:
    many = [
        feed(
            feed=f"f{number}",
            sources={
                "rows": {"kind": "files", "path": f"s3://upstream/{number:0100d}/*.csv", "format": "csv"}
            },
        )
        for number in range(40)
    ]
    with pytest.raises(DeclarationWrong) as wrong:
        stacks(declaration(*many, project={"aws": ACCOUNT_IDS}), "DEV")
    assert {problem.path for problem in wrong.value.problems} == {"environments.DEV"}
    assert any("`PodSource1Resources`" in problem.what for problem in wrong.value.problems)


def test_a_shared_ledger_is_written_once_below_its_dates_only() -> None:
    shared = {"staging": "acme-staging", "reports": "acme-reports", "ledger": "acme-reports"}
    storage = stacks(declaration(project={"aws": ACCOUNT_IDS, "buckets": shared}), "DEV")[0]
    from tests.deploy.cfn.asking import denied
    from tests.deploy.cfn.reading import make

    there = make(read(storage.template), storage.parameters)
    assert "LedgerBucket" not in there.resources
    said = there.statements("ReportsBucketPolicy")
    whole = {"s3__ObjectCreationOperation": "true"}
    assert denied(said, "s3:PutObject", "arn:aws:s3:::acme-reports/2026-11-20/orders/1.json", **whole)
    assert not denied(said, "s3:PutObject", "arn:aws:s3:::acme-reports/receipts/x", **whole)


def test_the_parameter_file_is_what_the_command_line_of_aws_reads() -> None:
    files = rendered_files(EIDV)
    for kind, stack in rendered(EIDV).items():
        document = json.loads(files[f"{kind}.parameters.json"])
        assert all(set(one) == {"ParameterKey", "ParameterValue"} for one in document)
        assert {one["ParameterKey"] for one in document} == {*stack.parameters, *stack.inputs}
        _placeholders_are_refused(stack, {one["ParameterKey"]: one["ParameterValue"] for one in document})


def _placeholders_are_refused(stack: Stack, values: dict[str, str]) -> None:
    known = read(stack.template)["Parameters"]
    for name in stack.inputs:
        assert not re.fullmatch(known[name]["AllowedPattern"], values[name]), name


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_commands_of_the_hand_over_are_shell(variant: str) -> None:
    text = rendered_files(variant)["README.md"]
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    assert "aws cloudformation deploy" in commands
    subprocess.run(["bash", "-n"], input=commands, text=True, check=True, timeout=20)


def test_the_commands_fill_in_what_the_earlier_stacks_gave() -> None:
    files = rendered_files(EIDV)
    (block,) = re.findall(
        r"```sh\n(output\(\).*?)```", files["README.md"].split("## 4.")[0].split("## 3.")[1], re.DOTALL
    )
    said = block.replace("output() {", "not_asked() {").replace("> sftp.filled.json", "")
    script = f"output() {{ echo arn:of/$1/$2; }}\n{said}"
    lines = script.replace("sftp.parameters.json", "-")
    done = subprocess.run(
        ["bash", "-c", lines],
        input=files["sftp.parameters.json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    filled = {one["ParameterKey"]: one["ParameterValue"] for one in json.loads(done.stdout)}
    assert filled["KeyArn"] == "arn:of/landbridge-eidv-prd-storage/KeyArn"
    assert filled["AlarmTopicArn"] == "arn:of/landbridge-eidv-prd-storage/AlarmTopicArn"


def test_the_fixed_addresses_are_given_to_the_endpoint_afterwards() -> None:
    said = rendered_files(EIDV)["README.md"]
    assert (
        "SubnetId=subnet-0a1b2c3d4e5f60711,Ipv4=10.64.12.10 SubnetId=subnet-0a1b2c3d4e5f60722,Ipv4=10.64.13.10"
        in said
    )
    assert said.count("\naws ec2 modify-vpc-endpoint") == 1, "one command"
    assert "modify-vpc-endpoint" not in rendered_files(ADOPT)["README.md"]


def test_the_command_for_the_fixed_addresses_names_the_server_that_was_made() -> None:
    command = fix_addresses(rendered(EIDV)["sftp"], "eu-west-2", OUTPUTS["ServerId"])
    assert f"--server-id {OUTPUTS['ServerId']} " in command
    assert shlex.split(command)[:3] == ["aws", "ec2", "modify-vpc-endpoint"]
    assert fix_addresses(rendered(ADOPT)["sftp"], "eu-west-2", OUTPUTS["ServerId"]) == ""


def test_the_request_sheet_says_what_is_known_and_leaves_blanks_for_the_rest() -> None:
    sheet = rendered_files(EIDV)["request-sheet.md"]
    assert "| 10.20.30.0/28 | 10.64.12.10, 10.64.13.10 | TCP 22 |" in sheet
    assert "| subnet-0a1b2c3d4e5f60711 | 10.64.12.10 | ________ |" in sheet
    assert "sftp.eidv.prd.example.internal" in sheet
    assert "private zone Z0123456789EXAMPLE" in sheet
    assert "Direct Connect" in sheet
    unknown = rendered_files(ADOPT)["request-sheet.md"]
    assert "AWS chooses it" in unknown
    assert "`s-0123456789abcdef0`" in unknown
    assert "partner-every-in" in rendered_files(EVERY)["request-sheet.md"]
