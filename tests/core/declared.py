"""A small whole declaration on disk, to make mistakes in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landbridge.declare import examine

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.declare import Examination

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MARK = "§"
"""Stands in a replacement where the mistake should be reported."""

PROJECT = """\
version: 1
project: demo
buckets:
  staging: demo-{environment}-staging
  reports: demo-{environment}-reports
  ledger: demo-{environment}-ledger
sftp:
  host: env:SFTP_HOST
  user: demo-collector
  private_key: file:keys/collector
  host_keys: ["file:keys/host.pub"]
share:
  path: share/{environment}
  receipt_key: file:keys/receipts.pem
  receipt_public_keys: ["file:keys/receipts.pub"]
variables: {bank: acme}
environments:
  DEV: {}
  PRD: {}
calendars:
  england: {country: GB, subdivision: ENG}
"""

ORDERS = """\
feed: orders
owner: team@example.org
schedule:
  cron: "0 6 * * *"
  time_zone: Europe/London
  business_date: previous_day
  deadline: {at: "07:00"}
sources:
  orders:
    kind: sql
    url: env:DATABASE_URL
    query: SELECT id, amount FROM orders WHERE day = :business_date
file:
  name: ORDERS_{ENVIRONMENT}_{business_date:%Y%m%d}_{revision:03d}.csv
  folder: shop/orders
  format: {kind: csv, trailing: {fields: ["T", "{rows}", "{total:amount}"]}}
order_by: [id]
contract: {file: contracts/orders.odcs.yaml}
"""

SALES = """\
feed: sales
owner: team@example.org
schedule: {cron: "5 * * * *"}
sources:
  orders: {kind: files, path: "in/orders.csv", format: csv}
  items:
    kind: rest
    url: env:API_URL
    parameters: {since: "{scheduled_at:%Y-%m-%dT%H:%M:%SZ}"}
    auth: {kind: bearer, token: "env:API_TOKEN"}
transform: SELECT o.id, i.amount FROM orders o JOIN items i USING (id)
file:
  name: SALES_{scheduled_at:%Y%m%dT%H%MZ}_{revision:03d}.csv
  folder: shop/sales
contract: {file: contracts/orders.odcs.yaml}
"""

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: amount, logicalType: number, physicalType: "decimal(12,2)"}
"""

FILES = {
    "landbridge.yaml": PROJECT,
    "feeds/orders.yaml": ORDERS,
    "feeds/sales.yaml": SALES,
    "contracts/orders.odcs.yaml": CONTRACT,
}


def write(folder: Path, files: dict[str, str]) -> None:
    """Write the files of a project."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def changed(file: str, old: str, new: str) -> tuple[dict[str, str], tuple[int, int]]:
    """Give the project's files with one change, and the line and column of the mark in it."""
    assert FILES[file].count(old) == 1, old
    text = FILES[file].replace(old, new)
    before = text.partition(MARK)[0]
    line = before.count("\n") + 1
    return {**FILES, file: text.replace(MARK, "")}, (line, len(before) - before.rfind("\n"))


def examined(folder: Path, files: dict[str, str]) -> Examination:
    """Write a project and examine it as of a fixed day."""
    write(folder, files)
    return examine(folder, now=NOW)
