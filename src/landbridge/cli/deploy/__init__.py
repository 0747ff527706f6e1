"""`landbridge deploy`: what is declared becomes AWS and Kubernetes. One module a renderer."""

from __future__ import annotations

import typer

from landbridge.cli.deploy import kubernetes

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.add_typer(kubernetes.app, name="kubernetes", help="Manifests, a Helm chart, and kubectl.")
