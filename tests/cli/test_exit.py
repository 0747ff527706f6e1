"""How does the program end when it is wrong itself?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_A_BUG = """
import landbridge.cli.schema as command
def schema() -> None:
    raise ZeroDivisionError("planted")
command.schema = schema
from landbridge.cli import main
main(["schema"])
"""


def test_a_bug_keeps_its_traceback_and_exits_70() -> None:
    ended = subprocess.run([sys.executable, "-c", _A_BUG], capture_output=True, text=True, check=False)
    assert ended.returncode == 70
    assert "ZeroDivisionError: planted" in ended.stderr
    assert "please report it" in ended.stderr


def test_a_usage_error_is_64_without_a_traceback() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "landbridge", "run", "--no-such-option"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 64
    assert "Traceback" not in ended.stderr


_WORK_TO_THE_END = """
import atexit, sys, threading, time
import landbridge.cli.schema as command
from landbridge.__main__ import program
def late():
    time.sleep(0.1)
    print("the thread")
def schema() -> int:
    threading.Thread(target=late).start()
    atexit.register(print, "who asked to be called", end="")
    print("x" * 200_000)
    return 65
command.schema = schema
sys.argv = ["landbridge", "schema"]
program()
"""
_FEW_WORDS = """
import sys
import landbridge.cli.schema as command
from landbridge.__main__ import program
command.schema = lambda: print("so few that they wait until the end")
sys.argv = ["landbridge", "schema"]
program()
"""


def _buffered(*words: str, **files: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-E", *words]  # without PYTHONUNBUFFERED
    return subprocess.run(command, text=True, check=False, **files)  # type: ignore[call-overload,no-any-return]


def test_the_program_ends_after_its_threads_and_after_who_asked_for_it_and_with_all_its_words() -> None:
    """It does not wait for Python to give back its memory, so what else Python does at the end must come before."""
    ended = _buffered("-c", _WORK_TO_THE_END, capture_output=True)
    assert ended.returncode == 65
    words = ended.stdout.splitlines()
    assert words == ["x" * 200_000, "the thread", "who asked to be called"]
    assert ended.stderr == ""


_HELD_TO_THE_END = """
import builtins, sys
class Held:
    def __del__(self):
        print("given back")
builtins.held = Held()
import landbridge.cli.schema as command
from landbridge.__main__ import program
command.schema = lambda: print("done")
sys.argv = ["landbridge", "schema"]
program()
"""


@pytest.mark.parametrize(
    ("first", "said"), [("", ["done"]), ("atexit.register(print, 'told')", ["done", "told", "given back"])]
)
def test_the_program_leaves_what_it_holds_unless_somebody_asked_before_it_to_be_called(
    first: str, said: list[str]
) -> None:
    """Such as what measures or traces a process does, from a sitecustomize: it would be called after the program has left."""
    ended = _buffered("-c", f"import atexit\n{first}\n{_HELD_TO_THE_END}", capture_output=True)
    assert (ended.returncode, ended.stdout.splitlines(), ended.stderr) == (0, said, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full, as Linux has one")
def test_words_that_nobody_could_keep_are_no_success() -> None:
    with_rich = _FEW_WORDS.replace("print(", "__import__('rich').print(")
    with_json = _FEW_WORDS.replace("print(", "__import__('landbridge').cli.output.print_json(").replace(
        "import sys", "import sys, landbridge.cli.output"
    )
    for words in ((_FEW_WORDS,), (with_rich,), (with_json,), ("-u", with_rich), ("-u", with_json)):
        with Path("/dev/full").open("w") as full:
            command = [*words[:-1], "-c", words[-1]]
            ended = _buffered(*command, stdout=full, stderr=subprocess.PIPE)
        assert ended.returncode == 74
        assert ended.stderr.startswith("error: the output takes no more of what the command says\n")
        assert "No space left on device" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert "Exception ignored" not in ended.stderr


@pytest.mark.parametrize("words", ["check", "schema feed"])
def test_a_reader_that_has_gone_is_no_failure(words: str) -> None:
    project = Path(__file__).parents[2] / "examples" / "eidv"
    piped = f"{sys.executable} -E -m landbridge {words} | true; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=False, cwd=project)
    assert (ended.stdout, ended.stderr) == ("0\n", "")


_FOREIGN_LETTERS = """
import sys
import landbridge.cli.schema as command
from landbridge.cli.output import print_json, print_table
def schema():
    print_json({"title": "Zoë ○ \U0001f600"}) if sys.argv[1] == "json" else print_table("", ("state",), [["○ Zoë"]])
command.schema = schema
from landbridge.cli import main
main(["schema"])
"""


def test_letters_that_an_output_does_not_have_are_told_by_number() -> None:
    said = {}
    for form in ("json", "table"):
        command = [sys.executable, "-c", _FOREIGN_LETTERS, form]
        environment = os.environ | {"PYTHONIOENCODING": "ascii"}
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert (ended.returncode, ended.stderr) == (0, "")
        said[form] = ended.stdout
    assert json.loads(said["json"]) == {"title": "Zoë ○ \U0001f600"}
    assert said["table"].split() == ["state", "\\u25cb", "Zo\\xeb"]


def test_a_process_without_a_standard_output_ends_as_any() -> None:
    project = Path(__file__).parents[2] / "examples" / "eidv"
    for words, code in (("run --no-such-option", 64), ("check", 0), ("check --json", 0)):
        closed = ["sh", "-c", f"exec {sys.executable} -m landbridge {words} >&-"]
        ended = subprocess.run(closed, capture_output=True, text=True, check=False, cwd=project)
        assert ended.returncode == code
        assert "Traceback" not in ended.stderr


_CTRL_C_TAKEN_FOR_AN_ERROR = """
import os, signal
import landbridge.cli.schema as command
def schema():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt as interrupted:
        raise ValueError("cannot be built") from interrupted
command.schema = schema
from landbridge.cli import main
main(["schema"])
"""


_A_BUG_AFTER_CTRL_C = """
import os, signal
import landbridge.cli.schema as command
def schema():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        pass
    1 / 0
command.schema = schema
from landbridge.cli import main
main(["schema"])
"""
_WORDS_BEFORE_AN_ERROR = """
from landbridge.cli.output import print_json
import landbridge.cli.schema as command
from landbridge.errors import Unavailable
def schema():
    print_json("some words")
    raise Unavailable("the source is away")
command.schema = schema
from landbridge.__main__ import program
import sys
sys.argv = ["landbridge", "schema"]
program()
"""


def _ended(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=50
    )


def test_what_a_library_makes_of_ctrl_c_is_no_bug() -> None:
    ended = _ended(_CTRL_C_TAKEN_FOR_AN_ERROR)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "\ninterrupted; the same command carries on where it stopped\n"


def test_a_bug_behind_an_interruption_is_told_as_a_bug() -> None:
    ended = _ended(_A_BUG_AFTER_CTRL_C)
    assert ended.returncode == 70
    assert "ZeroDivisionError" in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_both_outputs_on_a_full_disk_leave_the_exit_code(unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        for command, code in (
            (["-m", "landbridge", "schema"], 74),
            (["-m", "landbridge", "never"], 64),
            (["-c", _WORDS_BEFORE_AN_ERROR], 74 if unbuffered else 69),
        ):
            around = os.environ | {"PYTHONUNBUFFERED": unbuffered}
            ended = subprocess.run(
                [sys.executable, *command], stdout=full, stderr=full, check=False, env=around
            )
            assert (ended.returncode, command) == (code, command)


_AUDITED = """
from dataclasses import fields
from landbridge.audit import Row
from landbridge.cli.audit import _csv
_csv([Row(**{one.name: "" for one in fields(Row)} | {"actor": "\u0141ukasz"})])
"""


def test_what_an_auditor_gets_as_csv_is_utf8_whatever_the_terminal_speaks() -> None:
    around = os.environ | {"PYTHONIOENCODING": "cp1252"}
    ended = subprocess.run([sys.executable, "-c", _AUDITED], capture_output=True, check=True, env=around)
    assert "\u0141ukasz" in ended.stdout.decode("utf-8")


def test_an_error_in_json_is_json_whatever_letters_the_output_has(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "landbridge", "check", "--project", "Zo\u00eb", "--json"]
    ended = subprocess.run(
        command,
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert ended.returncode
    assert "Zo\u00eb" in str(json.loads(ended.stderr))


@pytest.mark.parametrize("ignored", [False, True])
def test_ctrl_c_before_the_command_is_there_ends_without_a_traceback(ignored: bool) -> None:
    program = (
        "import os, signal, sys\n"
        f"{'signal.signal(signal.SIGINT, signal.SIG_IGN)' if ignored else ''}\n"
        "from landbridge.__main__ import program\n"
        "class Early:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'landbridge.cli':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Early())\n"
        "sys.argv = ['landbridge', '--version']\n"
        "program()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    assert ended.returncode == (0 if ignored else -2)
