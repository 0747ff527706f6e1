"""Is a declaration read as it was written, are all mistakes told at once, and is no secret repeated?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.declare import load
from landbridge.declare import text as texts
from landbridge.declare.mistakes import PATTERNS
from landbridge.declare.references import sql_parameters
from landbridge.declare.vocabulary import schema_of
from landbridge.errors import DeclarationWrong, Exit, UsageError
from landbridge.feed import Feed
from landbridge.project import Project, place
from tests.core import declared
from tests.core.declared import FILES, NOW, changed, examined

if TYPE_CHECKING:
    from pathlib import Path

PROJECT, ORDERS, SALES, CONTRACT = FILES


def load_project(folder: Path, files: dict[str, str]) -> Project:
    declared.write(folder, files)
    return load(folder, now=NOW).project


def test_a_sound_declaration_is_loaded(tmp_path: Path) -> None:
    declared.write(tmp_path, FILES)
    found = load(tmp_path, now=NOW)
    assert list(found.feeds) == ["orders", "sales"]
    assert found.project.environments.keys() == {"DEV", "PRD"}
    assert found.folder == tmp_path


def test_one_feed_is_loaded_alone(tmp_path: Path) -> None:
    declared.write(tmp_path, {**FILES, SALES: "not: a feed"})
    assert list(load(tmp_path, only="orders", now=NOW).feeds) == ["orders"]
    with pytest.raises(DeclarationWrong):
        load(tmp_path, only="sales", now=NOW)
    with pytest.raises(UsageError, match="no feed `order`") as caught:
        load(tmp_path, only="order", now=NOW)
    assert caught.value.hint == "did you mean `orders`?"


def test_the_digest_changes_with_any_file_and_with_nothing_else(tmp_path: Path) -> None:
    declared.write(tmp_path, {**FILES, "notes.txt": "x"})
    first = load(tmp_path, now=NOW).digest
    declared.write(tmp_path, {"notes.txt": "y"})
    assert load(tmp_path, now=NOW).digest == first
    digests = {first}
    for file, text in FILES.items():
        declared.write(tmp_path, {**FILES, file: text + "# a comment\n"})
        digests.add(load(tmp_path, now=NOW).digest)
    assert len(digests) == 1 + len(FILES)


def test_no_project_is_said_with_the_way_to_begin_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path)
    assert "landbridge init" in caught.value.hint


def test_mistakes_of_all_files_are_told_at_once_in_their_order(tmp_path: Path) -> None:
    files = {
        PROJECT: FILES[PROJECT].replace("version: 1", "version: 9"),
        ORDERS: FILES[ORDERS].replace("previous_day", "x").replace("kind: csv", "kind: x"),
        SALES: "[]",
        CONTRACT: FILES[CONTRACT].replace("kind: DataContract", "kind: x"),
        "feeds/broken.yaml": "a: [",
    }
    found = examined(tmp_path, files)
    assert found.declaration is None
    assert [(problem.file, problem.line) for problem in found.problems] == [
        ("feeds/broken.yaml", 1),
        (ORDERS, 6),
        (ORDERS, 16),
        (SALES, 1),
        (PROJECT, 1),
    ]
    with pytest.raises(DeclarationWrong) as caught:
        load(tmp_path, now=NOW)
    assert caught.value.exit is Exit.DECLARATION
    assert caught.value.problems == found.problems


def test_a_contract_of_two_feeds_is_told_once(tmp_path: Path) -> None:
    files, _ = changed(CONTRACT, "logicalType: string", "logicalType: strnig")
    assert [problem.file for problem in examined(tmp_path, files).problems] == [CONTRACT]


def test_one_misspelt_key_is_one_message_although_it_is_also_missing(tmp_path: Path) -> None:
    files, _ = changed(ORDERS, "sources:", "source:")
    assert [problem.what for problem in examined(tmp_path, files).problems] == ["unknown key `source`"]


_KEY = "private_key: file:keys/collector"
SECRETS = [
    (PROJECT, _KEY, "private_key: hunter2"),
    (PROJECT, _KEY, "private_key: [hunter2]"),
    (PROJECT, _KEY, "private_key: *hunter2"),
    (PROJECT, _KEY, "private_key: !hunter2 x"),
    (PROJECT, _KEY, "private_key: 'hunter2"),
    (PROJECT, _KEY, f"{_KEY}\n  password: hunter2"),
    (PROJECT, "variables:", "private_key: hunter2\nvariables:"),
    (SALES, '"env:API_TOKEN"', "hunter2"),
    (SALES, "kind: bearer, token:", "kind: beaer, token: hunter2, x:"),
    (SALES, "url: env:API_URL", "url: https://user:hunter2@example.org"),
    (SALES, "url: env:API_URL", "url: env:API_URL\n    headers: {Authorization: Bearer hunter2}"),
    (SALES, "{since:", "{api_key: hunter2, since:"),
    (SALES, "{since:", "{api_key: 'hunter2{', since:"),
    (ORDERS, "url: env:DATABASE_URL", "url: postgresql://user:hunter2@host/db"),
    (ORDERS, "url: env:DATABASE_URL", "url: postgresql+psycopg://user:hunter2@host/db"),
    (ORDERS, "folder: shop/orders", "folder: shop/orders\n  encryption: {recipients: [hunter2]}"),
]


@pytest.mark.parametrize(("file", "old", "new"), SECRETS)
def test_a_secret_that_was_pasted_is_refused_and_never_repeated(
    tmp_path: Path, file: str, old: str, new: str
) -> None:
    files, _ = changed(file, old, new)
    found = examined(tmp_path, files)
    assert found.problems
    assert "hunter2" not in repr(found.problems)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (PROJECT, _KEY, "private_key: 987654"),
        (PROJECT, _KEY, "private_key: {of: 987654}"),
        (PROJECT, "variables: {bank: acme}", "variables: {db_password: 98765.4}"),
        (PROJECT, "variables:", "watch: {mail: [a@b.c], smtp_password: 987654}\nvariables:"),
        (SALES, '"env:API_TOKEN"', "987654"),
        (SALES, "parameters: {since", "headers: {Authorization: 987654}\n    parameters: {since"),
        (SALES, "parameters: {since", "parameters: {api_key: 987654, since"),
    ],
)
def test_a_secret_of_the_wrong_type_is_not_repeated_either(
    tmp_path: Path, file: str, old: str, new: str
) -> None:
    files, _ = changed(file, old, new)
    found = examined(tmp_path, files)
    assert found.problems
    assert "98765" not in repr(found.problems)


@pytest.mark.parametrize("number", ["9" * 5_000, "1e999", "0x" + "f" * 5_000])
def test_a_number_without_end_is_a_mistake_like_any_other(tmp_path: Path, number: str) -> None:
    """Python refuses to convert some of them, which would be a traceback."""
    files, _ = changed(PROJECT, "variables:", f"staging_days: {number}\nvariables:")
    found = examined(tmp_path, files)
    assert [problem.path for problem in found.problems] == ["staging_days"]
    assert len(repr(found.problems)) < 2_000


def test_text_and_numbers_arrive_as_they_were_written(tmp_path: Path) -> None:
    files, _ = changed(
        PROJECT,
        "variables: {bank: acme}",
        "variables: {bank: NO, day: 2026-01-01, number: '1.10', octal: \"007\", yes: y}\nstaging_days: 0x10",
    )
    project = load_project(tmp_path, files)
    assert project.variables == {
        "bank": "NO",
        "day": "2026-01-01",
        "number": "1.10",
        "octal": "007",
        "yes": "y",
    }
    assert project.staging_days == 16


def test_anchors_and_the_merge_key_save_repetition(tmp_path: Path) -> None:
    files, _ = changed(
        PROJECT,
        "  DEV: {}\n  PRD: {}",
        "  DEV: &all {variables: &v {a: x, b: y}}\n  PRD: {<<: *all, region: eu-west-1}\n"
        "  UAT: {variables: {<<: *v, b: z}}",
    )
    project = load_project(tmp_path, files)
    assert project.environments["PRD"].variables == {"a": "x", "b": "y"}
    assert project.environments["PRD"].region == "eu-west-1"
    assert project.environments["UAT"].variables == {"a": "x", "b": "z"}


def test_aliases_that_multiply_without_end_are_refused(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    found = examined(tmp_path, {**FILES, "feeds/bomb.yaml": bomb})
    assert [problem.what for problem in found.problems] == ["the aliases of this document never end"]


def test_merge_keys_that_multiply_without_end_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but what they bring in was counted: nine lines of ten aliases each would have been read for hours."""
    monkeypatch.setattr(texts, "_MOST_NODES", 2_000)
    bomb = "a0: &a0 {x: 1}\n"
    bomb += "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 9))
    found = examined(tmp_path, {**FILES, "feeds/bomb.yaml": bomb})
    assert [problem.what for problem in found.problems] == ["the aliases of this document never end"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"feed: caf\xe9", "not UTF-8"),
        (b"feed: a\x01b", "control character"),
        (b"", "wrong type"),
        (b"just text", "wrong type"),
        (b"a: 1\n---\nb: 2\n", "not YAML"),
        (b"a:\n\t- x", "not YAML"),
    ],
)
def test_what_is_no_declaration_at_all_is_said_plainly(tmp_path: Path, content: bytes, what: str) -> None:
    declared.write(tmp_path, FILES)
    (tmp_path / "feeds" / "odd.yaml").write_bytes(content)
    with pytest.raises(DeclarationWrong) as caught:
        load(tmp_path, now=NOW)
    assert [problem.file for problem in caught.value.problems] == ["feeds/odd.yaml"]
    assert what in caught.value.problems[0].what


def test_a_template_that_yaml_takes_for_a_mapping_is_explained(tmp_path: Path) -> None:
    files, _ = changed(ORDERS, "name: ORDERS_", "name: ")
    (problem,) = examined(tmp_path, files).problems
    assert problem.line == 14
    assert "in quotes" in problem.hint


def test_two_feeds_with_the_same_remote_key_are_refused_whatever_the_case(tmp_path: Path) -> None:
    other = FILES[ORDERS].replace("feed: orders", "feed: returns").replace("ORDERS_", "Orders_")
    found = examined(tmp_path, {**FILES, "feeds/returns.yaml": other})
    assert [(p.file, p.path) for p in found.problems] == [("feeds/returns.yaml", "file.name")]
    assert found.problems[0].what == "the feeds `orders` and `returns` would have the same remote key"


def test_two_feeds_that_land_under_one_name_are_refused_also_by_their_done_files(tmp_path: Path) -> None:
    landing = FILES[ORDERS].replace(
        "  folder:", "  landed_name: in.csv\n  done_file: '{name}.done'\n  folder:"
    )
    other = (
        FILES[ORDERS]
        .replace("feed: orders", "feed: returns")
        .replace("shop/orders", "shop/returns")
        .replace("  folder:", "  landed_name: IN.csv.done\n  folder:")
    )
    found = examined(tmp_path, {**FILES, ORDERS: landing, "feeds/returns.yaml": other})
    assert [(p.file, p.path) for p in found.problems] == [("feeds/returns.yaml", "file.landed_name")]


def test_one_share_of_two_environments_needs_the_environment_in_the_name(tmp_path: Path) -> None:
    files, _ = changed(PROJECT, "share/{environment}", "share")
    assert [(p.file, p.what) for p in examined(tmp_path, files).problems] == [
        (SALES, "`sales` of `DEV` and of `PRD` would have the same name on the share")
    ]


def test_feeds_of_different_environments_may_share_a_bucket(tmp_path: Path) -> None:
    files, _ = changed(PROJECT, "demo-{environment}-reports", "demo-reports")
    files[PROJECT] = files[PROJECT].replace("demo-{environment}-ledger", "demo-ledger")
    files[ORDERS] += "environments: [DEV]\n"
    files[SALES] += "environments: [PRD]\n"
    assert examined(tmp_path, files).problems == ()


def test_a_feed_stands_in_the_file_of_its_name_and_once(tmp_path: Path) -> None:
    found = examined(tmp_path, {**FILES, "feeds/copy.yaml": FILES[ORDERS]})
    assert [(p.file, p.line, p.what) for p in found.problems] == [
        ("feeds/copy.yaml", 1, "the feed `orders` is already in feeds/orders.yaml")
    ]
    found = examined(tmp_path, {**FILES, "feeds/copy.yaml": FILES[ORDERS].replace("feed: o", "feed: po")})
    assert ("feeds/copy.yaml", "feeds/porders.yaml") in [(p.file, p.expected) for p in found.problems]


def test_only_declarations_are_read_from_the_feeds_folder_and_each_must_be_readable(tmp_path: Path) -> None:
    asides = {"feeds/README.md": "# Feeds", "feeds/.orders.yaml": "half: [", "feeds/orders.yaml.bak": "a: ["}
    assert examined(tmp_path, {**FILES, **asides}).problems == ()
    (tmp_path / "feeds" / "odd.yml").mkdir()
    (problem,) = examined(tmp_path, {}).problems
    assert (problem.file, problem.what) == ("feeds/odd.yml", "the file cannot be read: Is a directory")


@pytest.mark.parametrize(
    "transform",
    [
        "WITH w AS (FROM orders JOIN items USING (id)) SELECT * FROM w",
        "SELECT * FROM ORDERS WHERE id IN (SELECT id FROM Items)",
        "FROM (FROM orders) UNION ALL SELECT * FROM (WITH w AS (FROM items) FROM W)",
    ],
)
def test_a_transform_reads_sources_and_tables_of_its_own(tmp_path: Path, transform: str) -> None:
    files, _ = changed(SALES, "SELECT o.id, i.amount FROM orders o JOIN items i USING (id)", f"'{transform}'")
    found = examined(tmp_path, files)
    assert (found.problems, found.warnings) == ((), ())


@pytest.mark.parametrize(
    "module",
    [
        "class rows: ...",
        "rows, other = object(), 1",
        "rows: object = object()",
        "from elsewhere import rows",
        "from elsewhere import made as rows",
        "from elsewhere import *",
        "try:\n    from fast import rows\nexcept ImportError:\n    def rows(): ...",
        "if 1:\n    def rows(): ...",
    ],
)
def test_a_function_is_found_however_its_module_comes_by_it(tmp_path: Path, module: str) -> None:
    old = FILES[ORDERS][FILES[ORDERS].index("sources:") : FILES[ORDERS].index("file:\n")]
    files, _ = changed(ORDERS, old, "sources:\n  orders: {kind: python, function: reports:rows}\n")
    assert examined(tmp_path, {**files, "reports.py": module}).problems == ()


@pytest.mark.parametrize(
    ("module", "what"),
    [
        ("other = rows", "`reports` has no `rows`"),
        ("rows: object", "`reports` has no `rows`"),
        ("import rows as other", "`reports` has no `rows`"),
        ("class Other:\n    def rows(): ...", "`reports` has no `rows`"),
        ("\0", "`reports` is not Python"),
    ],
)
def test_a_function_that_its_module_only_mentions_is_not_there(
    tmp_path: Path, module: str, what: str
) -> None:
    old = FILES[ORDERS][FILES[ORDERS].index("sources:") : FILES[ORDERS].index("file:\n")]
    files, _ = changed(ORDERS, old, "sources:\n  orders: {kind: python, function: reports:rows}\n")
    (problem,) = examined(tmp_path, {**files, "reports.py": module}).problems
    assert (problem.path, problem.what) == ("sources.orders.function", what)


def test_a_contract_that_cannot_be_read_is_told_at_its_name(tmp_path: Path) -> None:
    files, _ = changed(ORDERS, "file: contracts/orders.odcs.yaml", "file: /proc/self/mem")
    (problem,) = examined(tmp_path, files).problems
    assert (problem.file, problem.path) == (ORDERS, "contract.file")


def test_a_python_source_names_a_function_that_is_there(tmp_path: Path) -> None:
    old = FILES[ORDERS][FILES[ORDERS].index("sources:") : FILES[ORDERS].index("file:\n")]
    new = "sources:\n  orders: {kind: python, function: §reports.daily:rows}\n"
    files, at = changed(ORDERS, old, new)
    (problem,) = examined(tmp_path, files).problems
    assert ((problem.line, problem.column), problem.what) == (at, "no module `reports.daily`")
    (problem,) = examined(tmp_path, {**files, "reports/daily.py": "def row(): ...\n"}).problems
    assert (problem.what, problem.hint) == ("`reports.daily` has no `rows`", "did you mean `row`?")
    (problem,) = examined(tmp_path, {**files, "reports/daily.py": "def rows(:\n"}).problems
    assert problem.what == "`reports.daily` is not Python: line 1"
    assert examined(tmp_path, {**files, "reports/daily.py": "def rows(): ...\n"}).problems == ()


_OWN = "  PRD: {}"
_BUCKETS = "buckets: {{staging: {0}-staging, reports: {0}-reports, ledger: {1}{2}}}"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (PROJECT, "path: share/{environment}", "path: env:SHARE"),  # a folder of its own on every host
        (PROJECT, _OWN, "  PRD: {" + _BUCKETS.format("demo-dev", "demo-dev-ledger", ", endpoint: http://h") + "}"),
        (PROJECT, _OWN, "  PRD: {" + _BUCKETS.format("demo-prd", "demo-dev-ledger", ", ledger_prefix: prd") + "}"),
        (PROJECT, "ledger: demo-{environment}-ledger", "ledger: demo-{environment}-reports\n  ledger_prefix: of"),
        (PROJECT, _OWN, "  PRD: {sftp: {host: h, user: abc, private_key: env:K, host_keys: [env:H]}}"),
        (ORDERS, "  business_date", "  calendar: england\n  on_holiday: skip\n  business_date"),
        (ORDERS, "  business_date", "  starts: 2027-01-01\n  business_date"),
        (ORDERS, "  business_date", "  ends: 2027-01-01\n  business_date"),
        (ORDERS, "url: env:DATABASE_URL", "url: file:keys/{nobody}/url"),
        (SALES, "parameters: {since", "headers: {X-Api-Key: env:K}\n    parameters: {since"),
        (SALES, "format: csv}", "format: csv, columns: {id: 'decimal(38,38)'}}"),
        (SALES, "folder: shop/sales", "folder: shop/sales\n  format: {kind: parquet}"),
        (SALES, "folder: shop/sales", "folder: shop/sales\n  compression: gzip"),
        (SALES, "  folder:", "  done_file: 'of.{name}'\n  folder:"),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_mistake_is_none(tmp_path: Path, file: str, old: str, new: str) -> None:
    assert examined(tmp_path, changed(file, old, new)[0]).problems == ()


def test_feeds_of_one_environment_are_held_against_each_other(tmp_path: Path) -> None:
    mine = FILES[ORDERS] + "environments: [PRD]\n"
    other = mine.replace("feed: orders", "feed: returns")
    (problem,) = examined(tmp_path, {**FILES, ORDERS: mine, "feeds/returns.yaml": other}).problems
    assert problem.what == "the feeds `orders` and `returns` would have the same remote key"


def test_names_that_only_begin_alike_do_not_meet(tmp_path: Path) -> None:
    mine = FILES[ORDERS].replace("  folder:", "  landed_name: '{feed}.csv'\n  folder:")
    other = mine.replace("feed: orders", "feed: orders-2").replace("shop/orders", "shop/other")
    assert examined(tmp_path, {**FILES, ORDERS: mine, "feeds/orders-2.yaml": other}).problems == ()


def test_one_reports_bucket_is_shared_whatever_the_prefix_of_its_ledger(tmp_path: Path) -> None:
    own = "buckets: {staging: s-prd, reports: demo-dev-reports, ledger: l-prd, ledger_prefix: prd}"
    files, _ = changed(PROJECT, _OWN, f"  PRD: {{{own}}}")
    (problem,) = examined(tmp_path, files).problems
    assert problem.path == "environments.PRD.buckets.reports"
    assert "share the reports bucket" in problem.what


def test_a_mistake_in_what_is_merged_is_told_once_where_it_was_written(tmp_path: Path) -> None:
    files, place = changed(PROJECT, "  DEV: {}\n  PRD: {}", "  DEV: &all {§regoin: x}\n  PRD: {<<: *all}")
    (problem,) = examined(tmp_path, files).problems
    assert (problem.what, (problem.line, problem.column)) == ("unknown key `regoin`", place)


def test_fixed_width_columns_are_those_of_the_contract(tmp_path: Path) -> None:
    old = 'format: {kind: csv, trailing: {fields: ["T", "{rows}", "{total:amount}"]}}'
    new = "format: {kind: fixed, columns: {id: {width: 9}, amuont: {width: 9}}}"
    (problem,) = examined(tmp_path, changed(ORDERS, old, new)[0]).problems
    assert (problem.path, problem.hint) == ("file.format.columns.amuont", "did you mean `amount`?")
    new = "format: {kind: fixed, columns: {id: {width: 9}}}"
    (problem,) = examined(tmp_path, changed(ORDERS, old, new)[0]).problems
    assert problem.what == "the contract's column `amount` has no width"
    sound = "format: {kind: fixed, columns: {id: {width: 9}, amount: {width: 9}}}"
    assert examined(tmp_path, changed(ORDERS, old, sound)[0]).problems == ()


@pytest.mark.parametrize(
    ("calendar", "what"),
    [
        ("{country: ZZ}", "no holiday calendar"),
        ("{country: GB, subdivision: XX}", "no holiday calendar"),
        ("{subdivision: ENG}", "needs its `country`"),
    ],
)
def test_a_calendar_that_does_not_exist_is_refused_where_it_is_declared(
    tmp_path: Path, calendar: str, what: str
) -> None:
    files, _ = changed(PROJECT, "{country: GB, subdivision: ENG}", calendar)
    files[ORDERS] = files[ORDERS].replace("  business_date", "  calendar: england\n  business_date")
    (problem,) = examined(tmp_path, files).problems
    assert problem.file == PROJECT
    assert what in problem.what


def test_business_days_with_a_holiday_are_told_how_to_skip_it(tmp_path: Path) -> None:
    files, _ = changed(ORDERS, "previous_day", "previous_business_day\n  calendar: england")
    files[ORDERS] = files[ORDERS].replace("* * *", "* * 1-5")
    (problem,) = examined(tmp_path, files).problems
    assert "Friday 2026-12-25 and Monday 2026-12-28" in problem.what
    assert problem.hint == "write `on_holiday: skip`"
    files[ORDERS] = files[ORDERS].replace("* * 1-5", "* * *")
    (problem,) = examined(tmp_path, files).problems
    assert problem.hint == 'write `cron: "0 6 * * 1-5"` and `on_holiday: skip`'


def test_what_may_be_meant_is_a_warning(tmp_path: Path) -> None:
    files, _ = changed(ORDERS, '"0 6 * * *"', '"30 1 * * *"')
    files[ORDERS] = files[ORDERS].replace("    query:", "    parameters: {region: x}\n    query:")
    files[SALES] = files[SALES].replace(" JOIN items i USING (id)", "").replace(", i.amount", "")
    found = examined(tmp_path, files)
    assert found.declaration is not None
    assert [(w.file, w.what) for w in found.warnings] == [
        (ORDERS, "01:30 comes twice on 2027-10-31 in Europe/London; it runs at the first"),
        (ORDERS, "01:30 does not exist on 2027-03-28 in Europe/London; it runs at 02:00 that day"),
        (ORDERS, "the query has no parameter `:region`"),
        (SALES, "the transform does not use the source `items`"),
    ]


def test_a_feed_that_has_ended_is_sound(tmp_path: Path) -> None:
    bounds = "  starts: 2014-01-01\n  ends: 2014-01-01\n  business_date"
    files, _ = changed(ORDERS, "  business_date", bounds)
    assert examined(tmp_path, files).problems == ()


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("SELECT :a, :b", ["a", "b"]),
        ("SELECT ':x', \":y\", a::int -- :z\n/* :q */ FROM t", []),
        ("SELECT $$ :x $$, $f$ :y $f$, :b", ["b"]),
        ("SELECT x[1:2], 'it''s :x', :when::date", ["when"]),
    ],
)
def test_parameters_of_a_query_are_found_outside_texts_and_comments(
    query: str, parameters: list[str]
) -> None:
    assert sql_parameters(query) == parameters


def test_every_pattern_of_the_models_is_said_in_words() -> None:
    found: set[str] = set()
    pending: list[object] = [schema_of(Feed), schema_of(Project)]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            found |= {node["pattern"]} if isinstance(node.get("pattern"), str) else set()
            found |= set(node.get("patternProperties", {}))
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    own = {r"^(\d+[smhd])+$", "^(env|file|aws-sm):.+"}  # their validators have words of their own
    assert found - own == set(PATTERNS)


def test_an_environment_is_filled_into_every_text_of_its_place(tmp_path: Path) -> None:
    files, _ = changed(PROJECT, '["file:keys/receipts.pub"]', '["file:keys/{environment}/receipts.pub"]')
    files[PROJECT] = files[PROJECT].replace("env:SFTP_HOST", "env:SFTP_HOST_{ENVIRONMENT}")
    found = place(load_project(tmp_path, files), "PRD")
    assert found.share.receipt_public_keys == ("file:keys/prd/receipts.pub",)
    assert found.sftp.host == "env:SFTP_HOST_PRD"
    assert found.buckets.staging == "demo-prd-staging"
    assert found.share.path == "share/prd"
    assert found.variables == {"bank": "acme"}


def test_what_an_environment_says_itself_wins_and_the_projects_holds_elsewhere(tmp_path: Path) -> None:
    """Else evidence would be signed with another environment's key, or somebody else be told."""

    def parts(of: str, number: int) -> list[str]:
        return [
            f"region: {of}-west-1",
            f"evidence: {{signing_key: env:{of}, public_keys: ['file:{{environment}}.pub']}}",
            f"host: {{folder: /etc/{of}}}",
            f"watch: {{every: {number}m}}",
            f"retention: {{outbound_days: {number}}}",
            f"variables: {{bank: {of}}}",
        ]

    files, _ = changed(PROJECT, "variables: {bank: acme}", "\n".join(parts("all", 5)))
    files[PROJECT] = files[PROJECT].replace(_OWN, f"  PRD: {{{', '.join(parts('prd', 7))}}}")
    project = load_project(tmp_path, files)
    for environment, of, number in (("DEV", "all", 5), ("PRD", "prd", 7)):
        found = place(project, environment)
        assert found.evidence is not None
        assert found.evidence.public_keys == (f"file:{environment.lower()}.pub",)
        assert found.evidence.signing_key == f"env:{of}"
        assert (found.region, found.host.folder) == (f"{of}-west-1", f"/etc/{of}")
        assert found.watch.every == timedelta(minutes=number)
        assert found.retention.outbound_days == number
        assert found.variables == {"bank": of}
