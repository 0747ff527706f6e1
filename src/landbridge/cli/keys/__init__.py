"""`landbridge keys`: the SSH keys of the SFTP side, made, changed and taken away without a gap."""

from __future__ import annotations

import typer

from landbridge.cli.keys.adopting import adopt
from landbridge.cli.keys.bringing import create, rotate
from landbridge.cli.keys.handing import hand_over, promote
from landbridge.cli.keys.leaving import retire
from landbridge.cli.keys.shown import status

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
for _command in (create, rotate, adopt, hand_over, promote, retire, status):
    app.command()(_command)
