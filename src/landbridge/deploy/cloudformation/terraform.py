"""How does a team that must use Terraform apply the same stacks? A thin wrapper: the templates stay the truth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from landbridge.deploy.cloudformation.handover import CAPABILITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landbridge.deploy.stack import Stack

_HEAD = """\
# Rendered by `landbridge deploy aws render`. One aws_cloudformation_stack each around the templates beside this folder:
# they are reviewed once, and Terraform only applies them. Keep the state where your other state is.

terraform {{
  required_version = ">= 1.5"
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }}
  }}
}}

provider "aws" {{
  region              = {region}
  allowed_account_ids = [{account}]
}}
"""


def main_tf(stacks: Sequence[Stack], *, account: str, region: str) -> str:
    """Give main.tf; it lies in a folder beside the templates."""
    head = _HEAD.format(region=_text(region), account=_text(account))
    return "\n".join([head, *("\n".join(_resource(stack)) for stack in stacks)])


def _resource(stack: Stack) -> Iterator[str]:
    yield f'resource "aws_cloudformation_stack" {_text(_name(stack.kind))} {{'
    yield f"  name          = {_text(stack.name)}"
    yield f'  template_body = file("${{path.module}}/../{stack.kind}.yaml")'
    yield f"  capabilities  = [{', '.join(_text(each) for each in CAPABILITIES)}]"
    yield ""
    outputs = {
        name: f'aws_cloudformation_stack.{_name(output.stack)}.outputs["{output.name}"]'
        for name, output in stack.inputs.items()
    }
    yield from _map("parameters", {name: _text(value) for name, value in stack.parameters.items()} | outputs)
    yield ""
    yield from _map("tags", {_key(name): _text(value) for name, value in stack.tags.items()})
    yield ""
    yield "  lifecycle {"
    yield "    prevent_destroy = true # what it retains would be left without an owner"
    yield "  }"
    yield "}"
    yield ""


def _map(name: str, entries: Mapping[str, str]) -> Iterator[str]:
    width = max(map(len, entries))
    yield f"  {name} = {{"
    yield from (f"    {key:<{width}} = {value}" for key, value in entries.items())
    yield "  }"


def _name(kind: str) -> str:
    return kind.replace("-", "_")


def _key(name: str) -> str:
    return name if name.isidentifier() else _text(name)


def _text(value: str) -> str:
    """Quote a text; `${` and `%{` would begin a template of Terraform's own."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
