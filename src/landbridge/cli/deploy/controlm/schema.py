"""`landbridge deploy controlm schema`: the JSON Schema of what is rendered for Control-M."""

from __future__ import annotations

from landbridge.cli.options import JsonOption
from landbridge.cli.output import print_json


def schema(
    as_json: JsonOption = False,  # noqa: ARG001 # it prints JSON either way
) -> None:
    """Print the JSON Schema (draft 2020-12) of profiles.json and folder.json.

    It is the part of Control-M's JSON that Landbridge writes, not all that Control-M takes.

    Example: landbridge deploy controlm schema > control-m.schema.json
    """
    from landbridge.deploy.controlm.schema import schema as made

    print_json(made())
