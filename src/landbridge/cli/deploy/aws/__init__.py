"""`landbridge deploy aws`: the stacks of an environment; one module a command."""

from __future__ import annotations

import typer

from landbridge.cli.deploy.aws.render import render

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.command("render")(render)


@app.callback()
def _aws() -> None:
    """CloudFormation stacks: storage, identity, sftp, sftp-user."""
