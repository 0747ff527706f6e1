"""What does somebody need who applies the stacks by hand: parameter files, and the commands in their order?"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from landbridge.deploy.stack import ORDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.deploy.stack import Output, Stack

CAPABILITIES = ("CAPABILITY_NAMED_IAM",)
"""What whoever applies them acknowledges: identity and sftp-user make roles with names of their own."""


def parameters_file(stack: Stack) -> str:
    """Give a stack's parameters as `aws cloudformation deploy --parameter-overrides` and `create-stack --parameters` read a file.

    An output of an earlier stack is not known before that one is applied: it stands here as `output:...`, which no
    parameter's pattern takes, so that nothing can be applied with it.
    """
    filled = [{"ParameterKey": name, "ParameterValue": value} for name, value in stack.parameters.items()]
    open_ones = [
        {"ParameterKey": name, "ParameterValue": placeholder(output)} for name, output in stack.inputs.items()
    ]
    return json.dumps(filled + open_ones, indent=2) + "\n"


def placeholder(output: Output) -> str:
    """Stand for an output of an earlier stack."""
    return f"output:{output.stack}:{output.name}"


def readme(stacks: Sequence[Stack], *, project: str, environment: str, account: str, region: str) -> str:
    """Say what the files are and how they are applied without Landbridge."""
    lines = [
        f"# {project} {environment}: AWS account {account}, {region}",
        "",
        "Rendered by `landbridge deploy aws render`; change the declaration and render again rather than a file here.",
        f"Landbridge applies the same with `landbridge deploy aws plan --environment {environment}` and `apply`. Without it:",
        "one stack after the other, each as a change set that somebody reads before it is executed.",
        "",
        "| file | what it is |",
        "|---|---|",
        "| `*.yaml` | the templates; the same bytes in every environment of the project |",
        "| `*.parameters.json` | what is different in this one |",
        "| `request-sheet.md` | what the network team has to open, route and name |",
        "| `terraform/main.tf` | the same four stacks for teams that must use Terraform |",
        "",
    ]
    for number, stack in enumerate(stacks, 1):
        lines += [f"## {number}. {stack.kind}", ""]
        if stack.inputs:
            lines += [_FILLED_FROM, "", "```sh", *_filled(stack, stacks, region), "```", ""]
        lines += ["```sh", *_deploy(stack, region), "```", ""]
    lines += _after(stacks[ORDER.index("sftp")], region)
    return "\n".join(lines)


_FILLED_FROM = "Each `output:...` of its parameters is filled with the output of the earlier stack:"


def _filled(stack: Stack, stacks: Sequence[Stack], region: str) -> Iterator[str]:
    names = {one.kind: one.name for one in stacks}
    yield f"output() {{ {_output('$1', '$2', region)}; }}"
    yield "sed \\"
    for output in stack.inputs.values():
        yield f'  -e "s|{placeholder(output)}\\"|$(output {names[output.stack]} {output.name})\\"|" \\'
    yield f"  {stack.kind}.parameters.json > {stack.kind}.filled.json"


def _output(stack: str, name: str, region: str) -> str:
    asked = f"Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue"
    return (
        f"aws cloudformation describe-stacks --region {region} --stack-name {stack}"
        f' --output text --query "{asked}"'
    )


def _deploy(stack: Stack, region: str) -> Iterator[str]:
    tags = " ".join(shlex.quote(f"{key}={value}") for key, value in stack.tags.items())
    parameters = f"{stack.kind}.{'filled' if stack.inputs else 'parameters'}.json"
    yield f"aws cloudformation deploy --region {region} --stack-name {stack.name} \\"
    yield f"  --template-file {stack.kind}.yaml --parameter-overrides file://{parameters} \\"
    yield f"  --capabilities {' '.join(CAPABILITIES)} --tags {tags} \\"
    yield "  --no-execute-changeset # then look at it, and execute it"


def fix_addresses(sftp: Stack, region: str, server: str) -> str:
    """Give the one command that gives a new server's endpoint its declared addresses; empty where there is nothing to fix.

    `server` is its id, or a substitution of the shell that gives it. CloudFormation cannot choose the addresses, since
    Transfer Family makes the endpoint. Giving them again changes nothing.
    """
    addresses = list(filter(None, sftp.parameters["Addresses"].split(",")))
    if not addresses or sftp.parameters["AdoptServerId"]:
        return ""
    pairs = zip(sftp.parameters["SubnetIds"].split(","), addresses, strict=True)
    configurations = " ".join(f"SubnetId={subnet},Ipv4={address}" for subnet, address in pairs)
    endpoint = (
        f"aws transfer describe-server --region {region} --server-id {server}"
        " --output text --query Server.EndpointDetails.VpcEndpointId"
    )
    return (
        f"aws ec2 modify-vpc-endpoint --region {region} --vpc-endpoint-id $({endpoint})"
        f" --subnet-configurations {configurations}"
    )


def _after(sftp: Stack, region: str) -> list[str]:
    command = fix_addresses(sftp, region, f"$({_output(sftp.name, 'ServerId', region)})")
    if not command:
        return []
    return [
        "## 5. The fixed addresses",
        "",
        "CloudFormation cannot choose the private addresses of the endpoint that Transfer Family makes. Once, after `sftp`:",
        "",
        "```sh",
        command,
        "```",
        "",
    ]
