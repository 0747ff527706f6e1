"""`landbridge deploy controlm`: the jobs that take the files on premises. One module a command; a command is one line here."""

from __future__ import annotations

import typer

from landbridge.cli.deploy.controlm.lint import lint
from landbridge.cli.deploy.controlm.render import render
from landbridge.cli.deploy.controlm.schema import schema
from landbridge.cli.deploy.controlm.stacks import apply, plan, status

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.command("render")(render)
app.command("schema")(schema)
app.command("lint")(lint)
app.command("plan")(plan)
app.command("apply")(apply)
app.command("status")(status)


@app.callback()
def _controlm() -> None:
    """Connection profiles and folders of Control-M."""
