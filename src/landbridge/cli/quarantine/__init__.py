"""`landbridge quarantine`: what broke its contract, and what a person decides about it."""

from __future__ import annotations

import typer

from landbridge.cli.quarantine.decided import reject, release
from landbridge.cli.quarantine.shown import list_, show

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.command("list")(list_)
for _command in (show, release, reject):
    app.command()(_command)
