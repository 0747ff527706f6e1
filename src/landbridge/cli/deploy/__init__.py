"""`landbridge deploy`: what must exist outside the program, rendered, reviewed and applied. One module a renderer."""

from __future__ import annotations

import typer

from landbridge.cli.deploy import controlm, kubernetes, schedule
from landbridge.cli.deploy.aws_render import render
from landbridge.cli.deploy.aws_stacks import apply, destroy, plan, status
from landbridge.cli.deploy.everything import render as render_everything

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
aws = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.add_typer(aws, name="aws", help="CloudFormation stacks in the declared AWS account.")
app.add_typer(kubernetes.app, name="kubernetes", help="Manifests, a Helm chart, and kubectl.")
app.add_typer(controlm.app, name="controlm", help="Connection profiles and folders of Control-M.")
app.add_typer(schedule.app, name="schedule", help="Collections on a schedule, for hosts without Control-M.")
app.command("render")(render_everything)
for command in (render, plan, apply, status, destroy):
    aws.command()(command)


@aws.callback()
def _aws() -> None:
    """CloudFormation stacks in the declared AWS account."""
