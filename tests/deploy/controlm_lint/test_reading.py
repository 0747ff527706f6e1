"""Is JSON read as strictly as it should be, and is each mistake of form told with its place?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.deploy.controlm.lint import lint, parse, read
from landbridge.errors import DiskFailed, UsageError
from tests.deploy.controlm_lint.clean import TODAY, clean

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.deploy.controlm.lint.reading import Node

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


def _plain(node: Node) -> object:
    if isinstance(node.value, dict):
        return {key: _plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(child) for child in node.value]
    return node.value


@given(VALUES, st.sampled_from([None, 1, 4]), st.booleans())
def test_it_reads_what_the_library_reads(value: Any, indent: int | None, ascii_only: bool) -> None:
    document = parse(json.dumps(value, indent=indent, ensure_ascii=ascii_only), "x")
    assert document.root is not None
    assert _plain(document.root) == value


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \n\\/ua', max_size=40))
def test_it_takes_nothing_that_the_library_refuses(text: str) -> None:
    document = parse(text, "x")
    try:
        value = json.loads(text)
    except ValueError:
        assert document.broken
        return
    assert document.root is not None or document.broken
    if document.root is not None:
        assert _plain(document.root) == value


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ('{"a": 1,}', 1, 8, "comma before `}`"),
        ('{"a":\n [1, 2,]}', 2, 7, "comma before `]`"),
        ('{"a": 1 // x\n}', 1, 9, "a comment"),
        ("{'a': 1}", 1, 2, "double quotes"),
        ('{"a": {{b}}}', 1, 8, "a key in double quotes"),
        ('{"a": ${b}}', 1, 7, "a template"),
        ('{"a": 01}', 1, 7, "a value"),
        ('{"a": NaN}', 1, 7, "a value"),
        ('{"a": "b\nc"}', 1, 7, "does not end in its line"),
        ('{"a": "b\\x"}', 1, 7, "a character that JSON escapes"),
        ('{"a": 1', 1, 8, "the end of the file"),
        ("", 1, 1, "the end of the file"),
        ('{"a" 1}', 1, 6, "`:` after the key `a`"),
        ('{"a": 1} {"b": 2}', 1, 10, "follows its end"),
        ('"JOB": {"Type": "Job:Command"}', 1, 6, "the braces around the whole are missing"),
        ("[" * 2000, 1, 102, "nested"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text: str, line: int, column: int, word: str) -> None:
    (one,) = lint([parse(text, "x.json")], TODAY).findings
    assert (one.rule, one.severity, one.line, one.column) == ("json-broken", "error", line, column)
    assert word in one.what


def test_a_password_beside_a_mistake_is_not_repeated() -> None:
    (one,) = lint([parse('{"Password": hunter22}', "x.json")], TODAY).findings
    assert "hunter22" not in str(one)


def test_a_doubled_key_is_told_where_it_stands_again() -> None:
    text = '{"EIDV": {"Type": "Folder",\n "OrderMethod": "Automatic",\n "OrderMethod": "Manual"}}'
    (one,) = [one for one in lint([parse(text, "x.json")], TODAY).findings if one.rule == "key-twice"]
    assert (one.line, one.column, one.path) == (3, 2, "/EIDV/OrderMethod")
    assert "line 2" in one.what


def test_comments_may_repeat() -> None:
    text = '{"EIDV": {"Type": "Folder", "Comment": "a", "Comment": "b", "OrderMethod": "Manual"}}'
    assert not lint([parse(text, "x.json")], TODAY).findings


@pytest.mark.parametrize("text", ["[]", "3", '{"name": "x", "version": "1"}', "{}", "null"])
def test_a_file_with_nothing_to_check_is_not_called_fine(text: str) -> None:
    (one,) = lint([parse(text, "x.json")], TODAY).findings
    assert one.rule == "nothing-to-check"


def test_the_same_name_in_two_files_is_told() -> None:
    folder, profiles = clean()
    files = [parse(json.dumps(one), name) for one, name in ((profiles, "a"), (folder, "b"), (folder, "c"))]
    (one,) = lint(files, TODAY).findings
    assert (one.rule, one.file, one.object) == ("name-twice", "c", "EIDV_PRD")


def test_a_key_file_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "controlm.pub"
    file.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample somebody\n")
    assert [one.rule for one in lint([read(file)], TODAY).findings] == ["key-ed25519"]
    file.write_text("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAACAQexample somebody\n")
    assert not lint([read(file)], TODAY).findings


def test_a_private_key_is_told_and_its_kind_too() -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    for key, rules in (
        (ed25519.Ed25519PrivateKey.generate(), {"secret-literal", "key-ed25519"}),
        (ec.generate_private_key(ec.SECP256R1()), {"secret-literal"}),
    ):
        text = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()).decode()
        assert {one.rule for one in lint([parse(text, "key")], TODAY).findings} == rules


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(DiskFailed):
        read(tmp_path / "none.json")
    (tmp_path / "x.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(UsageError):
        read(tmp_path / "x.json")
