"""Which small projects do the stories play in?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pysequoia import Tsk

if TYPE_CHECKING:
    from pathlib import Path

_PROJECT = """
version: 1
project: story
buckets: {staging: "story-staging", reports: "story-reports", ledger: "story-ledger"}
sftp:
  host: sftp.example.internal
  user: story-controlm
  private_key: "file:keys/controlm"
  host_keys: ["file:keys/host.pub"]
share: {path: share, receipt_key: "file:keys/receipts.pem", receipt_public_keys: ["file:keys/receipts.pub"]}
environments: {DEV: {}}
watch: {catch_up: 6h}
"""

_FEED = """
feed: %(name)s
owner: stories@example.org
schedule: {cron: "0 6 * * *", time_zone: Europe/London, starts: 2024-01-01, deadline: 1h}
sources:
  rows:
    kind: python
    function: rows:%(function)s
    columns: {id: int64, name: string, amount: "decimal(9,2)"}
file:
  name: "STORY_{ENVIRONMENT}_%(name)s_{business_date:%%Y%%m%%d}_{revision:03d}.csv"
  folder: story
  format: {kind: csv, trailing: {fields: ["T", "{rows}", "{total:amount}"]}}
%(more)scontract: {file: contracts/story.odcs.yaml}
"""

_CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: story
version: 1.0.0
status: active
schema:
  - name: story
    properties:
      - {name: id, logicalType: integer, required: true, unique: true}
      - {name: name, logicalType: string, required: true, classification: restricted}
      - {name: amount, logicalType: number, physicalType: "decimal(9,2)", required: true, logicalTypeOptions: {minimum: 0}}
"""

_ROWS = '''
"""Rows of the stories. Every call gives others, as a source does that changes between two runs."""
import os
from decimal import Decimal


def good(slot, **parameters):
    salt = os.urandom(4).hex()
    for number in range(500):
        yield {"id": number, "name": f"{salt} {slot.occurrence}", "amount": Decimal(number) / 4}


def none(slot, **parameters):
    return iter(())


def doubled(slot, **parameters):
    rows = list(good(slot))
    rows[77] = {**rows[77], "id": 12}
    rows[99] = {**rows[99], "amount": Decimal("-1.00")}
    return rows
'''


def write_project(folder: Path) -> Path:
    """Lay a project into `folder`: feeds `good`, `broken`, `empty` (skipped), `sent` (to a further folder too), `sealed`."""
    for part in ("feeds", "contracts"):
        (folder / part).mkdir(parents=True)
    (folder / "landbridge.yaml").write_text(_PROJECT)
    (folder / "contracts" / "story.odcs.yaml").write_text(_CONTRACT)
    (folder / "rows.py").write_text(_ROWS)
    (folder / "keys").mkdir()
    pair = Tsk.generate("Story consumer <consumer@example.org>")
    (folder / "keys" / "recipient.asc").write_text(str(pair.extract_certificate()))
    (folder / "keys" / "recipient.secret.asc").write_text(str(pair))
    feeds = {
        "good": ("good", ""),
        "broken": ("doubled", ""),
        "empty": ("none", "empty: skip\n"),
        "sent": ("good", '  also_to: [{kind: folder, name: archive, path: "archive"}]\n'),
        "sealed": ("good", '  encryption: {recipients: ["file:keys/recipient.asc"]}\n'),
    }
    for name, (function, more) in feeds.items():
        text = _FEED % {"name": name, "function": function, "more": more}
        (folder / "feeds" / f"{name}.yaml").write_text(text)
    return folder
