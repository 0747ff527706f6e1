"""`landbridge deploy`: what a declaration becomes on AWS and Kubernetes; one group a destination."""

from __future__ import annotations

import typer

from landbridge.cli.deploy import aws

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.add_typer(aws.app, name="aws", help="CloudFormation stacks: storage, identity, sftp, sftp-user.")
