"""`landbridge schema`: the JSON Schema that editors complete from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, assert_never

import typer

from landbridge.cli.options import JsonOption
from landbridge.cli.output import print_json
from landbridge.declare.vocabulary import schema_of
from landbridge.feed import Feed
from landbridge.project import Project


class Kind(StrEnum):
    """A kind of declaration file."""

    PROJECT = "project"
    FEED = "feed"
    EVIDENCE = "evidence"
    """Not declared: the statement in a bundle of `landbridge evidence`."""


def schema(
    kind: Annotated[
        Kind,
        typer.Argument(
            help="Which file: landbridge.yaml, one of feeds/*.yaml, or the statement in an evidence bundle."
        ),
    ] = Kind.FEED,
    as_json: JsonOption = False,  # noqa: ARG001 # it prints JSON either way
) -> None:
    """Print the JSON Schema (draft 2020-12) of a declaration file, or of the statement in an evidence bundle.

    Editors with a YAML language server complete and check from it, when the file begins with
    `# yaml-language-server: $schema=...`, as the files of `landbridge init` do.

    Example: landbridge schema feed > schemas/feed.json
    """
    match kind:
        case Kind.PROJECT:
            print_json(schema_of(Project))
        case Kind.FEED:
            print_json(schema_of(Feed))
        case Kind.EVIDENCE:
            from landbridge.bundle.statement import schema as of_evidence

            print_json(of_evidence())
        case _:
            assert_never(kind)
