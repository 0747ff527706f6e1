"""`landbridge deploy controlm`: the jobs that take the files on premises. One module a command; a command is one line here."""

from __future__ import annotations

import typer

from landbridge.cli.deploy.controlm.lint import lint

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.command("lint")(lint)


@app.callback()
def _controlm() -> None:
    """Connection profiles and folders of Control-M."""
