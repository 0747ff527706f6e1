"""Is a function of the user's project a source like any other?"""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from landbridge.errors import ContractBroken, UsageError
from landbridge.sources.reached import reached
from tests.contract.bridge import SLOT, around, declared, read

if TYPE_CHECKING:
    from pathlib import Path


def _read(folder: Path, code: str, **keys: Any) -> Any:
    (folder / "mine.py").write_text(code, encoding="utf-8")
    return read(around(folder), kind="python", function="mine:rows", **keys)


def test_mappings_lists_and_batches_are_taken(tmp_path: Path) -> None:
    code = """
import pyarrow as pa
from mine_helper import last

def rows(slot, start):
    yield {"n": int(start), "day": slot.business_date}
    yield {"n": 2, "day": None}
    yield [{"n": 3}, {"n": 4}]
    yield pa.RecordBatch.from_pylist([{"n": 5, "day": None}], pa.schema([("n", pa.int64()), ("day", pa.date32())]))
    from mine_later import more
    yield {"n": more()}
    yield {"n": last}
"""
    (tmp_path / "mine_helper.py").write_text("last = 7\n")
    (tmp_path / "mine_later.py").write_text("def more(): return 6\n")
    before = list(sys.path)
    columns = {"n": "int64", "day": "date"}
    taken = _read(tmp_path, code, parameters={"start": "1"}, columns=columns)
    assert [row["n"] for row in taken.rows] == [1, 2, 3, 4, 5, 6, 7]
    assert str(taken.rows[0]["day"]) == "2026-11-20"
    assert sys.path == before
    assert not {"mine", "mine_helper", "mine_later"} & sys.modules.keys()


def test_types_follow_from_the_first_records(tmp_path: Path) -> None:
    code = "from decimal import Decimal\ndef rows(slot):\n    return [{'a': Decimal('1.50'), 'b': True}, {'a': 2, 'b': None}]\n"
    taken = _read(tmp_path, code)
    assert taken.types == {"a": "decimal128(38, 2)", "b": "bool"}
    assert taken.rows[1]["a"] == Decimal(2)


def test_nan_within_an_object_is_refused_and_not_made_null(tmp_path: Path) -> None:
    code = "def rows(slot): return [{'a': {'price': 1.5}}, {'a': {'price': float('nan')}}]\n"
    with pytest.raises(ContractBroken, match="`a` holds what cannot be written as JSON: NaN"):
        _read(tmp_path, code)


def test_the_next_run_sees_the_changed_module(tmp_path: Path) -> None:
    assert _read(tmp_path, "def rows(slot): return [{'a': 1}]\n").rows == [{"a": 1}]
    assert _read(tmp_path, "def rows(slot): return [{'a': 2222}]\n").rows == [{"a": 2222}]


@pytest.mark.parametrize("when", ["import", "call", "iteration"])
def test_a_failure_names_file_and_line_of_the_project(tmp_path: Path, when: str) -> None:
    code = {
        "import": "x = 1\nint('abc')\n",
        "call": "def rows(slot):\n    return int('abc')\n",
        "iteration": "def rows(slot):\n    yield {'a': 1}\n    deeper()\n\ndef deeper():\n    int('abc')\n",
    }[when]
    with pytest.raises(ContractBroken) as caught:
        _read(tmp_path, code)
    line = {"import": 2, "call": 2, "iteration": 6}[when]
    assert "failed with ValueError: invalid literal" in str(caught.value)
    assert f"mine.py:{line} in " in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("code", ["exit(0)", "exit()", "exit('enough')"])
@pytest.mark.parametrize("when", ["import sys; sys.{}", "def rows(slot):\n    import sys; sys.{}; yield"])
def test_a_function_that_ends_the_program_has_failed(tmp_path: Path, when: str, code: str) -> None:
    """With code 0 a scheduler would take a run without a file for a good one."""
    with pytest.raises(ContractBroken, match="failed with SystemExit"):
        _read(tmp_path, when.format(code))


@pytest.mark.parametrize("text", [" 1", "1_0", "\u0661", "abc", "NaN", "sNaN", "1.005"])
@pytest.mark.parametrize("beside", ["1", "None", "__import__('decimal').Decimal('1.5')"])
def test_a_text_is_read_as_a_decimal_the_same_way_whatever_stands_beside_it(
    tmp_path: Path, text: str, beside: str
) -> None:
    code = f"def rows(slot): return [{{'a': {beside}}}, {{'a': {text!r}}}]\n"
    with pytest.raises(ContractBroken, match=r"record 2: `a` is not decimal\(5,2\)"):
        _read(tmp_path, code, columns={"a": "decimal(5,2)"})


def test_texts_numbers_and_decimals_of_one_page_are_decimals(tmp_path: Path) -> None:
    code = "from decimal import Decimal\ndef rows(slot): return [{'a': one} for one in ('1.5', 2, Decimal('3E+1'), None)]\n"
    rows = _read(tmp_path, code, columns={"a": "decimal(5,2)"}).rows
    assert [row["a"] for row in rows] == [Decimal("1.50"), Decimal(2), Decimal(30), None]


def test_a_decimal_beyond_any_float_is_told(tmp_path: Path) -> None:
    code = "from decimal import Decimal\ndef rows(slot): yield {'a': Decimal('1e400')}\n"
    with pytest.raises(ContractBroken, match="`a` is not float64"):
        _read(tmp_path, code, columns={"a": "float64"})


@pytest.mark.parametrize(
    ("code", "error", "says"),
    [
        ("", UsageError, "`mine` has no function `rows`"),
        ("def rows(slot): return 5\n", ContractBroken, "gives int"),
        ("def rows(slot): return {'a': 1}\n", ContractBroken, "gives dict"),
        ("def rows(slot): yield 5\n", ContractBroken, "yields int"),
        ("def rows(slot): yield [5]\n", ContractBroken, "record 1 is a whole number"),
        (
            "def rows(slot): yield {'a': 1}; yield {'a': 'x'}\n",
            ContractBroken,
            "`a` holds values of several types",
        ),
        (
            "def rows(slot, wanted): yield {}\n",
            ContractBroken,
            "missing 1 required positional argument: 'wanted'",
        ),
        ("import nothing_there\n", ContractBroken, "No module named 'nothing_there'"),
    ],
)
def test_what_is_no_source_is_told(tmp_path: Path, code: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        _read(tmp_path, code)


def test_a_module_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no module `not\.here`.*not/here\.py"):
        read(around(tmp_path), kind="python", function="not.here:rows")
    with pytest.raises(UsageError, match="no module `absent`"):
        read(around(tmp_path), kind="python", function="absent:rows")


def test_a_float_is_no_decimal(tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="a float cannot be an exact decimal"):
        _read(tmp_path, "def rows(slot): yield {'a': 1.5}\n", columns={"a": "decimal(5,2)"})


def test_records_that_come_after_arrow_batches_are_told(tmp_path: Path) -> None:
    code = """
import pyarrow as pa
def rows(slot):
    yield pa.RecordBatch.from_pylist([{"n": 1}])
    yield {"n": 2}
"""
    with pytest.raises(ContractBroken, match="records come after Arrow batches"):
        _read(tmp_path, code)


def test_a_module_that_was_just_written_is_found(tmp_path: Path) -> None:
    """Python keeps a folder's listing as long as the folder's time stays, and that has steps."""
    assert _read(tmp_path, "def rows(slot): return [{'a': 1}]\n").rows == [{"a": 1}]
    times = tmp_path.stat()
    (tmp_path / "beside.py").write_text("def rows(slot): return [{'a': 2}]\n")
    os.utime(tmp_path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert read(around(tmp_path), kind="python", function="beside:rows").rows == [{"a": 2}]


def test_what_is_asked_whether_it_is_there_is_not_called(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def rows(slot): raise AssertionError\n")
    there, absent = (declared(kind="python", function=f"mine:{name}") for name in ("rows", "lines"))
    assert reached("s", there, around(tmp_path), SLOT) == "mine:rows"
    with pytest.raises(UsageError, match="no function `lines`"):
        reached("s", absent, around(tmp_path), SLOT)
    assert "mine" not in sys.modules


def test_only_what_the_project_itself_has_is_forgotten(tmp_path: Path) -> None:
    """A library that is taken away in the middle of a process may be there twice afterwards."""
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "a_library_of_theirs.py").write_text("")
    code = f"""
import sys
sys.path.append({str(tmp_path / "site-packages")!r})
import colorsys, a_library_of_theirs
sys.path.pop()
def rows(slot): return [{{"a": 1}}]
"""
    sys.modules.pop("colorsys", None)
    _read(tmp_path, code)
    assert {"colorsys", "a_library_of_theirs"} <= sys.modules.keys()
    assert "mine" not in sys.modules
    del sys.modules["a_library_of_theirs"]
