"""Does a command that is interrupted at an odd moment end as one that is interrupted at any other?"""

from __future__ import annotations

import inspect
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from landbridge.cli import interrupting
from landbridge.errors import Exit

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

_PROGRAM = """
import os, signal, sys, threading, time
import landbridge.cli.schema as command
from landbridge.__main__ import program
from landbridge.cli import interrupting
def send(wait=0.05):
    os.kill(os.getpid(), {number})
    time.sleep(wait)
def schema():
    {body}
    time.sleep(20)
command.schema = schema
sys.argv = ["landbridge", "schema"]
program()
"""


def interrupted(folder: Path, body: str, number: signal.Signals = signal.SIGINT) -> str:
    """Give what a command says that sends itself a signal, and goes on for long if that is lost."""
    text = _PROGRAM.format(number=int(number), body=body.strip().replace("\n", "\n    "))
    ended = subprocess.run(
        [sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == Exit.INTERRUPTED, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "interrupted; the same command carries on" in ended.stderr
    return ended.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_middle_of_an_import_that_swallows_it(tmp_path: Path, number: signal.Signals) -> None:
    """As the callbacks of Python's own locks of imports do; extension modules that are being loaded crash."""
    (tmp_path / "swallowing.py").write_text(
        "import __main__\ntry:\n    __main__.send()\nexcept BaseException:\n    pass\n"
    )
    interrupted(tmp_path, "import swallowing", number)


def test_as_soon_as_the_import_is_over(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import __main__\n__main__.send()\nprint('imported')\n")
    assert interrupted(tmp_path, "import slow\ntime.sleep(20)\nprint('went on')") == "imported\n"


def test_in_an_import_that_never_ends(tmp_path: Path) -> None:
    """A project's own module may do anything."""
    (tmp_path / "hanging.py").write_text("import __main__\n__main__.send(20)\nprint('imported')\n")
    assert interrupted(tmp_path, "interrupting._MOST = 0.2\nimport hanging") == ""


def test_where_pydantic_would_make_another_error_of_it(tmp_path: Path) -> None:
    body = """
from pydantic import TypeAdapter
from pydantic_core import core_schema
class Odd:
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        try:
            send()
        except KeyboardInterrupt:
            raise ValueError("no schema")
        return core_schema.any_schema()
TypeAdapter(Odd)
"""
    assert interrupted(tmp_path, body) == ""


def test_while_a_thread_begins_whoever_begins_it_knows_of_it(tmp_path: Path) -> None:
    body = """
begun = []
def work():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    time.sleep(0.2)
sys.setswitchinterval(60)  # the thread goes on until it sleeps
thread = threading.Thread(target=work)
try:
    thread.start()
    begun.append(thread)
    thread.join()
finally:
    print(len(begun))
"""
    assert interrupted(tmp_path, body) == "1\n"


def test_what_waited_is_over_when_another_one_came_before() -> None:
    """Else that would interrupt the cleaning up."""
    interrupt, here = interrupting.Interruption(), inspect.currentframe()
    with pytest.raises(KeyboardInterrupt):
        interrupt(signal.SIGTERM, here)
    interrupt(signal.SIGALRM, here)


def test_a_second_one_does_not_wait_for_an_import(tmp_path: Path) -> None:
    """Somebody presses again: no import is worth five seconds to them."""
    (tmp_path / "hanging.py").write_text(
        "import __main__\n__main__.send()\n__main__.send(20)\nprint('imported')\n"
    )
    assert interrupted(tmp_path, "interrupting._MOST = 60\nimport hanging") == ""


def test_before_the_command_has_begun(tmp_path: Path) -> None:
    """It is no bug."""
    text = """
import sys
import landbridge.cli.pasted as pasted
from landbridge.__main__ import program
def remember(words):
    raise KeyboardInterrupt
pasted.remember = remember
sys.argv = ["landbridge", "schema"]
program()
"""
    command = [sys.executable, "-c", text]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == Exit.INTERRUPTED
    assert ended.stderr == "\ninterrupted; the same command carries on where it stopped\n"


def test_what_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """A command that a script starts in its background is not meant by Ctrl-C."""
    command = ["sh", "-c", f"trap '' INT; exec {sys.executable} -c \"$0\"", _PROGRAM.format(
        number=int(signal.SIGINT), body="send()\n    print('goes on')\n    raise SystemExit"
    )]  # fmt: skip
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "goes on\n")
