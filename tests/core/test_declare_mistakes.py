"""Is each kind of mistake told once, at its very place, with what helps?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landbridge.naming import CANARY_FEED
from tests.core import declared
from tests.core.declared import changed, examined
from tests.core.mistaken_names import NAMES

if TYPE_CHECKING:
    from pathlib import Path

PROJECT, ORDERS, SALES, CONTRACT = declared.FILES

# file, what stood there, what stands there now (§ where the message should point), path, what, and a hint or expectation.
MISTAKES = [
    # the form of the YAML
    (ORDERS, "owner: team", "owner: x§: team", "", "not YAML", ""),
    (ORDERS, "owner: team", "§feed: again\nowner: team", "feed", "there twice", ""),
    (ORDERS, "team@example.org", "§!!python/object:os.system x", "owner", "tags are not allowed", ""),
    (ORDERS, "schedule:\n", "schedule: §&s\n  more: *s\n", "schedule.more", "never end", ""),
    (
        PROJECT,
        "  DEV: {}\n  PRD: {}",
        "  §DEV:\n  # more to come\n\n  PRD: {}",
        "environments.DEV",
        "wrong type",
        "a mapping",
    ),
    # addresses, and references that refer to nothing
    (
        SALES,
        "url: env:API_URL",
        "url: §api.example.com/sales",
        "sources.items.url",
        "no URL of an API",
        "https://",
    ),
    (
        SALES,
        "url: env:API_URL",
        "url: §ftp://example.com",
        "sources.items.url",
        "no URL of an API",
        "https://",
    ),
    (SALES, "url: env:API_URL", 'url: §"env:"', "sources.items.url", "names nothing", "`env:NAME`"),
    (SALES, "url: env:API_URL", "url: §env:API URL", "sources.items.url", "names nothing", "`env:NAME`"),
    (
        SALES,
        '"env:API_TOKEN"',
        '§"env:API TOKEN"',
        "sources.items.auth.token",
        "cannot be used",
        "`env:NAME`",
    ),
    # keys and values of a model
    (
        ORDERS,
        "feed: orders\nowner: team@example.org\n",
        "§feed: orders\n",
        "owner",
        "`owner` is missing",
        "add `owner",
    ),
    (ORDERS, "owner:", "§onwer:", "onwer", "unknown key `onwer`", "`owner`"),
    (ORDERS, "  time_zone:", "  §timezone:", "schedule.timezone", "unknown key `timezone`", "`time_zone`"),
    (ORDERS, "Europe/London", "§Europe/Lodon", "schedule.time_zone", "cannot be used", "`Europe/London`"),
    (ORDERS, "previous_day", "§previous_dya", "schedule.business_date", "unknown value", "`previous_day`"),
    (ORDERS, "kind: sql", "kind: §sqll", "sources.orders.kind", "unknown `kind`", "`sql`"),
    (
        ORDERS,
        "  orders:\n    kind: sql\n    url:",
        "  orders:\n    §url:",
        "sources.orders.kind",
        "`kind` is missing",
        "`sql`",
    ),
    (ORDERS, "team@example.org", "§12", "owner", "wrong type", '"12"'),
    (ORDERS, '{at: "07:00"}', '{at: §"25:00"}', "schedule.deadline.at", "cannot be used", "07:00"),
    (ORDERS, '{at: "07:00"}', "§soon", "schedule.deadline", "cannot be used", "90m"),
    (ORDERS, '{at: "07:00"}', '{§att: "07:00"}', "schedule.deadline.att", "unknown key `att`", "`at`"),
    (ORDERS, "order_by: [id]", "order_by: §id", "order_by", "wrong type", "in brackets"),
    (ORDERS, "order_by: [id]", "§starts: 2026-01-01", "starts", "unknown key", ""),
    (
        ORDERS,
        '  deadline: {at: "07:00"}',
        "  starts: §2026-13-01",
        "schedule.starts",
        "cannot be used",
        "2026-11-20",
    ),
    (ORDERS, "feed: orders", "feed: §Orders", "feed", "cannot be used", "lower-case"),
    (PROJECT, "version: 1", "version: §2", "version", "unknown value", "`1`"),
    (PROJECT, "demo-collector", "§root", "sftp.user", "cannot be used", "other than `root`"),
    (PROJECT, "  PRD: {}", "  §2PRD: {}", "environments.2PRD", "the name `2PRD`", "starting with a letter"),
    (PROJECT, "  PRD: {}", "  PRD: {§regoin: x}", "environments.PRD.regoin", "unknown key", "`region`"),
    (
        PROJECT,
        "  PRD: {}",
        '  PRD: {host: {folder: §"/etc/50%"}}',
        "environments.PRD.host.folder",
        "cannot be used",
        "% $",
    ),
    (
        PROJECT,
        "variables:",
        "evidence: {kms_key: §alias/evidence, public_keys: [x]}\nvariables:",
        "evidence.kms_key",
        "cannot be used",
        "not of an alias",
    ),
    (
        PROJECT,
        "variables:",
        "evidence: §{public_keys: [x]}\nvariables:",
        "evidence",
        "cannot be used",
        "either `signing_key` or `kms_key`",
    ),
    (PROJECT, '["file:keys/host.pub"]', "§[]", "sftp.host_keys", "empty or too short", "at least 1"),
    (
        PROJECT,
        "variables:",
        "staging_days: §0\nvariables:",
        "staging_days",
        "cannot be used",
        "greater than or equal to 1",
    ),
    (
        PROJECT,
        "share:\n  path: share/{environment}\n",
        "§shares:\n  path: x\n",
        "shares",
        "unknown key",
        "`share`",
    ),
    # references
    (
        ORDERS,
        "  time_zone:",
        "  calendar: §englnd\n  time_zone:",
        "schedule.calendar",
        "no calendar `englnd`",
        "`england`",
    ),
    (
        ORDERS,
        "order_by:",
        "environments: [DEV, §PRO]\norder_by:",
        "environments[1]",
        "no environment `PRO`",
        "`PRD`",
    ),
    (
        ORDERS,
        "contracts/orders.odcs.yaml",
        "§contracts/order.odcs.yaml",
        "contract.file",
        "no such contract",
        "orders",
    ),
    (ORDERS, "order_by: [id]", "order_by: [id, §amout]", "order_by[1]", "no column `amout`", "`amount`"),
    (
        ORDERS,
        '"{total:amount}"',
        '§"{total:amuont}"',
        "file.format.trailing.fields[2]",
        "no column",
        "`amount`",
    ),
    (
        ORDERS,
        '"{total:amount}"',
        '§"{total:id}"',
        "file.format.trailing.fields[2]",
        "no exact total",
        "decimal",
    ),
    (
        ORDERS,
        "SELECT id, amount FROM orders WHERE day = :business_date",
        "§SELECT :bussiness_date",
        "sources.orders.query",
        "`bussiness_date`",
        "`business_date`",
    ),
    (
        SALES,
        "SELECT o.id, i.amount FROM orders o JOIN items i",
        "§SELECT o.id FROM orders o JOIN itmes i",
        "transform",
        "`itmes`",
        "`items`",
    ),
    (SALES, "SELECT o.id", "§SELEC o.id", "transform", "cannot be read", "SELECT"),
    (
        SALES,
        "SELECT o.id, i.amount FROM orders o JOIN items i USING (id)",
        "§DROP TABLE x",
        "transform",
        "cannot be read",
        "one SELECT",
    ),
    (
        SALES,
        "SELECT o.id, i.amount FROM orders o JOIN items i USING (id)",
        "§FROM orders, items; SELECT 1",
        "transform",
        "several statements",
        "one SELECT",
    ),
    (
        CONTRACT,
        "logicalType: string",
        "§logicalType: strnig",
        "schema[0].properties[0].logicalType",
        "strnig",
        "`string`",
    ),
    # schedule
    (ORDERS, '"0 6 * * *"', '§"0 6 * * * *"', "schedule.cron", "wrong number of fields", "five fields"),
    (ORDERS, '"0 6 * * *"', '§"0 6 31 2 *"', "schedule.cron", "cannot be read", "five fields"),
    (ORDERS, '"0 6 * * *"', '§"0 25 * * *"', "schedule.cron", "Bad hour", "five fields"),
    (
        ORDERS,
        "previous_day",
        "previous_business_day",
        "schedule.cron",
        "Sunday 2026-11-22 and Monday 2026-11-23",
        "1-5",
    ),
    (
        ORDERS,
        "  business_date",
        "  on_holiday: §skip\n  business_date",
        "schedule.on_holiday",
        "needs a calendar",
        "calendar",
    ),
    (
        ORDERS,
        '  deadline: {at: "07:00"}',
        '  deadline: §{at: "06:00"}',
        "schedule.deadline",
        "not after",
        "days: 1",
    ),
    (ORDERS, '  deadline: {at: "07:00"}', "  deadline: §0s", "schedule.deadline", "not after", ""),
    (
        ORDERS,
        '  deadline: {at: "07:00"}',
        "  starts: 2026-02-01\n  ends: §2026-01-01",
        "schedule.ends",
        "before `starts`",
        "",
    ),
    (
        ORDERS,
        '  deadline: {at: "07:00"}',
        '  ready: {signal: {kind: file, path: done}, until: §"05:30"}',
        "schedule.ready.until",
        "before it begins",
        "after 06:00",
    ),
    (
        ORDERS,
        '  deadline: {at: "07:00"}',
        "  ready: {signal: {kind: file, path: done}, every: §0s, limit: 1h}",
        "schedule.ready.every",
        "longer than 0s",
        "",
    ),
    (
        ORDERS,
        '  deadline: {at: "07:00"}',
        "  ready: §{signal: {kind: file, path: done}}",
        "schedule.ready",
        "cannot be used",
        "exactly one of `limit` and `until`",
    ),
    *NAMES,
    # secrets that are written out
    (SALES, "url: env:API_URL", "url: §https://u:p@h/x", "sources.items.url", "has a password", "env:NAME"),
    (
        SALES,
        "parameters: {since",
        "headers: {X-Api-Key: §abc}\n    parameters: {since",
        "sources.items.headers.X-Api-Key",
        "looks like a secret",
        "`auth`",
    ),
    (
        SALES,
        "parameters: {since",
        "parameters: {api_key: §abc, since",
        "sources.items.parameters.api_key",
        "looks like a secret",
        "`auth`",
    ),
    (
        ORDERS,
        '  deadline: {at: "07:00"}',
        '  ready: {signal: {kind: rest, url: §"https://u:p@h/done", path: done}, limit: 1h}',
        "schedule.ready.signal.url",
        "has a password",
        "env:NAME",
    ),
    (
        PROJECT,
        "variables:",
        'watch: §{mail: [a@b.c], smtp: "h:25", sender: a@b.c, smtp_user: u, smtp_password: env:P, smtp_security: none}\nvariables:',
        "watch",
        "cannot be used",
        "a password is not sent in the clear",
    ),
    # what waits, watches and is told
    (
        ORDERS,
        '  deadline: {at: "07:00"}',
        '  ready: {signal: {kind: sql, url: env:D, query: §"SELECT :bussiness_date"}, limit: 1h}',
        "schedule.ready.signal.query",
        "`bussiness_date`",
        "`business_date`",
    ),
    (
        ORDERS,
        '  deadline: {at: "07:00"}',
        '  ready: {signal: {kind: sql, url: env:D, query: "SELECT :d", parameters: {d: §"{bussiness_date}"}}, limit: 1h}',
        "schedule.ready.signal.parameters.d",
        "unknown word",
        "`{business_date}`",
    ),
    (
        ORDERS,
        '  deadline: {at: "07:00"}',
        '  ready: {signal: {kind: file, path: §"in/{bussiness_date}"}, limit: 1h}',
        "schedule.ready.signal.path",
        "unknown word",
        "`{business_date}`",
    ),
    (
        ORDERS,
        '  deadline: {at: "07:00"}',
        '  ready: {signal: {kind: rest, url: §"https://h/{bussiness_date}", path: done}, limit: 1h}',
        "schedule.ready.signal.url",
        "unknown word",
        "`{business_date}`",
    ),
    (
        ORDERS,
        '"0 6 * * *"\n',
        '§"0 6 1 1 *"\n  starts: 2026-02-01\n  ends: 2026-03-01\n',
        "schedule.cron",
        "never fires between `starts` and `ends`",
        "",
    ),
    (ORDERS, '{at: "07:00"}', "§4000d", "schedule.deadline", "cannot be used", "at most ten years"),
    (
        PROJECT,
        "variables:",
        "watch: §{mail: [a@b.c]}\nvariables:",
        "watch",
        "cannot be used",
        "`smtp` and `sender`",
    ),
    (
        PROJECT,
        "variables:",
        'watch: §{mail: [a@b.c], smtp: "h:25", sender: a@b.c, smtp_user: u}\nvariables:',
        "watch",
        "cannot be used",
        "`smtp_user` and `smtp_password` together",
    ),
    (
        PROJECT,
        "variables:",
        "watch: §{catch_up: 30m}\nvariables:",
        "watch",
        "cannot be used",
        "longer than `catch_up_after`",
    ),
    *(
        (
            PROJECT,
            "variables:",
            f"watch: §{{{key}: 30s}}\nvariables:",
            "watch",
            "cannot be used",
            "at least `1m`",
        )
        for key in ("every", "remind", "look_back")
    ),
    # the file and where else it goes
    (
        SALES,
        "  folder: shop/sales",
        '  folder: shop/sales\n  format: {kind: csv, delimiter: §"\\n"}',
        "file.format.delimiter",
        "cannot end a line",
        "",
    ),
    (
        SALES,
        "  folder: shop/sales",
        '  folder: shop/sales\n  format: {kind: csv, quote: §"\\r"}',
        "file.format.quote",
        "cannot end a line",
        "",
    ),
    *(
        (
            SALES,
            "  folder: shop/sales",
            f"  folder: shop/sales\n  format: {{kind: csv, null: §'{text}'}}",
            "file.format.null",
            "the delimiter or the quote",
            "",
        )
        for text in ("a,b", '"')
    ),
    *(
        (
            ORDERS,
            '"{rows}"',
            f'§"{{{word}:%Y}}"',
            "file.format.trailing.fields[1]",
            "a format that does not fit",
            "",
        )
        for word in ("rows", "records")
    ),
    (
        SALES,
        "file:\n  name",
        "file:\n  §also_to: [{name: x, kind: folder, path: a}, {name: x, kind: folder, path: b}]\n  name",
        "file",
        "cannot be used",
        "a different `name` for each place",
    ),
    (
        SALES,
        "  folder: shop/sales",
        '  folder: shop/sales\n  also_to: [{name: x, kind: folder, path: §"a{bussiness_date}"}]',
        "file.also_to[0].path",
        "unknown word",
        "`{business_date}`",
    ),
    *(
        (
            SALES,
            "  folder: shop/sales",
            f"  folder: shop/sales\n  also_to: [{{name: x, kind: s3, {keys}}}]",
            f"file.also_to[0].{key}",
            "unknown word",
            "`{business_date}`",
        )
        for key, keys in (
            ("bucket", 'bucket: §"a{bussiness_date}"'),
            ("prefix", 'bucket: abc, prefix: §"a{bussiness_date}"'),
        )
    ),
    # the project
    (
        PROJECT,
        "variables:",
        "region: §eu-west\nvariables:",
        "region",
        "`eu-west` is no region of AWS",
        "eu-west-2",
    ),
    (PROJECT, "reports: demo-{", "reports: §demo..{", "buckets.reports", "S3 takes no bucket", "lower-case"),
    (
        PROJECT,
        "ledger: demo-{environment}-ledger",
        "ledger: §demo-{environment}-reports",
        "buckets.ledger",
        "shares the reports bucket",
        "ledger_prefix",
    ),
    (
        ORDERS,
        "  orders:\n    kind",
        "  orders:\n    timeout: §0s\n    kind",
        "sources.orders.timeout",
        "longer than 0s",
        "",
    ),
    (
        SALES,
        "format: csv}",
        "format: csv, encoding: §utf-7x}",
        "sources.orders.encoding",
        "no encoding",
        "utf-8",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "path", "what", "helps"), MISTAKES)
def test_a_mistake_is_told_once_at_its_place(
    tmp_path: Path, file: str, old: str, new: str, path: str, what: str, helps: str
) -> None:
    files, place = changed(file, old, new)
    found = examined(tmp_path, files)
    assert found.declaration is None
    assert len(found.problems) == 1, found.problems
    problem = found.problems[0]
    assert (problem.file, problem.path) == (file, path)
    assert what in problem.what
    assert helps in f"{problem.expected} {problem.hint}"
    if declared.MARK in new:
        assert (problem.line, problem.column) == place


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        (
            SALES,
            "transform: SELECT o.id, i.amount FROM orders o JOIN items i USING (id)\n",
            "",
            "cannot be used",
        ),
        (
            PROJECT,
            "  ledger: demo-{environment}-ledger",
            "  ledger: demo-{environment}-staging",
            "forgets its",
        ),
        (ORDERS, "owner: team@example.org", "owner: team@example.org\n? [a, b]\n: x", "one word or text"),
        (ORDERS, "owner: team@example.org", "owner: team@example.org\n<<: x", "only bring in a mapping"),
        (
            PROJECT,
            'share:\n  path: share/{environment}\n  receipt_key: file:keys/receipts.pem\n  receipt_public_keys: ["file:keys/receipts.pub"]\n',
            "",
            "environment `DEV` has no `share`",
        ),
    ],
)
def test_a_mistake_of_the_whole_file_is_refused(
    tmp_path: Path, file: str, old: str, new: str, what: str
) -> None:
    found = examined(tmp_path, changed(file, old, new)[0])
    assert found.declaration is None
    assert any(what in problem.what for problem in found.problems), found.problems


def test_the_name_of_the_canarys_feed_is_taken(tmp_path: Path) -> None:
    """A feed of that name would share keys, receipts and slots with what `landbridge canary` sends."""
    files = dict(declared.FILES)
    files[f"feeds/{CANARY_FEED}.yaml"] = files.pop(ORDERS).replace("feed: orders", f"feed: {CANARY_FEED}")
    found = examined(tmp_path, files)
    assert [problem.path for problem in found.problems] == ["feed"]
    assert "landbridge canary" in found.problems[0].what


def test_every_replacement_in_the_table_has_its_mark() -> None:
    unmarked = [new for _, _, new, *_ in MISTAKES if declared.MARK not in new]
    assert unmarked == ["previous_business_day"], "there the message is about another key, `cron`"
