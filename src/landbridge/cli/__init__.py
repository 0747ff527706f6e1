"""Which commands are there? One module a command: parse, call, print, exit.

Only the module of the command that was asked for is imported, so that `--help` costs nothing.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import __version__
from landbridge.cli import streams
from landbridge.cli.interrupting import Interruption
from landbridge.errors import DiskFailed, Exit, LandbridgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the table: where its function lives, and its line in the help."""

    name: str
    module: str
    help: str
    group: bool = False
    """A group's module offers `app` (a Typer); any other a function with the command's own name."""
    takes: tuple[str, ...] = ("project", "environment", "twin")
    """Those of these options that it has: a hint repeats them (pasted.py)."""


COMMANDS = (
    Command("init", "init", "Write a small working project, with comments.", takes=()),
    Command(
        "check",
        "check",
        "Check the declaration: all mistakes at once, with file and line.",
        takes=("project", "environment"),
    ),
    Command("schema", "schema", "Print the JSON Schema of a declaration file.", takes=()),
    Command(
        "explain",
        "explain",
        "Show the whole plan of a slot without doing anything.",
        takes=("project", "environment"),
    ),
    Command("run", "run", "Generate, stage, validate and promote one slot of a feed."),
    Command("validate", "validate", "Judge any file on disk by a contract.", takes=("project",)),
    Command("collect", "collect", "Bring what is released to the share, and send the receipts."),
    Command("land", "land", "Verify and land what Control-M or another mover has brought."),
    Command("status", "status", "Show the slots by feed and business date, with state and deadline."),
    Command("trace", "trace", "Follow one slot or file: every hop with time, size, hash and who."),
    Command(
        "verify",
        "verify",
        "Read a slot's bytes again wherever they are, or check a bundle offline, and compare with the evidence.",
    ),
    Command(
        "quarantine",
        "quarantine",
        "What broke its contract: list, show, release, reject.",
        group=True,
    ),
    Command("redrive", "redrive", "Make a slot's file anew, as a new revision."),
    Command("backfill", "backfill", "Run many slots of a feed that were never run."),
    Command("waive", "waive", "Put on record that a slot's file will not come and is not needed."),
    Command("reap", "reap", "Remove what has landed and has had its time; says what first."),
    Command(
        "evidence", "evidence", "Write one signed file that proves a slot, for somebody without Landbridge."
    ),
    Command("audit", "audit", "List all slots of a period with end state, digests, receipt and evidence."),
    Command(
        "keys",
        "keys",
        "The SSH keys of the SFTP side: create, rotate, hand over, retire, status.",
        group=True,
        takes=("project", "environment"),
    ),
    Command(
        "deploy",
        "deploy",
        "Render what is declared for AWS, Kubernetes, Control-M and hosts, and apply it.",
        group=True,
        takes=("project", "environment"),
    ),
    Command("watch", "watch", "Look at all slots once: tell what is late or missing, run what was missed."),
    Command("doctor", "doctor", "Examine all that the feeds rely on; say what is wrong and what mends it."),
    Command("canary", "canary", "Send a tiny marked file the whole way, and time each hop."),
    Command(
        "needs",
        "needs",
        "Print what an environment needs, for a security review.",
        takes=("project", "environment"),
    ),
    Command(
        "twin",
        "twin",
        "The whole chain on this machine: up, down, status.",
        group=True,
        takes=("project", "environment"),
    ),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code (see `errors.Exit`); a bug keeps its traceback, and exits 70."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    streams.prepare()
    code = int(Exit.BUG)
    try:
        Interruption().listen()
        code = int(_run(words))
    except KeyboardInterrupt:  # before or behind the command
        code = _interrupted()
    except SystemExit as ended:  # rich ends the program so when the reader of a pipe has gone
        code = Exit.DONE if ended.code in {None, 0, 1} else Exit.BUG
    finally:
        if code == Exit.BUG and _comes_of_an_interruption(sys.exception()):
            code = _interrupted()
        if code == Exit.BUG:
            with streams.unheard():
                traceback.print_exc()
                typer.secho("this is a bug of Landbridge: please report it with the lines above", err=True)
        streams.leave()
        sys.exit(code)


def _run(words: list[str]) -> int:
    from landbridge.cli.pasted import remember

    remember(words)
    try:
        # Not standalone: usage errors, errors of ours and Ctrl-C get the exit codes of the manual, not 1 and 2.
        result = _app(words)(args=words, standalone_mode=False, prog_name="landbridge")
        sys.stdout.flush()
    except LandbridgeError as error:
        return _told(error, words)
    except typer.TyperException as error:
        with streams.unheard():
            typer.secho(f"usage: {error.format_message()}", err=True)
            typer.secho("see `landbridge --help` and `landbridge COMMAND --help`", err=True)
        return Exit.USAGE
    except (typer.Abort, KeyboardInterrupt):
        result = Exit.INTERRUPTED
    except BrokenPipeError:  # `landbridge status | head`
        sys.stderr.close()
        return Exit.DONE
    except OSError as error:
        if not (why := streams.refusal(error)):
            raise
        return _told(_unsaid(why), words)
    if result == Exit.INTERRUPTED:  # typer makes Ctrl-C during a command a result
        return _interrupted()
    return result if isinstance(result, int) else Exit.DONE


def _interrupted() -> int:
    with streams.unheard():
        typer.secho("\ninterrupted; the same command carries on where it stopped", err=True)
    return int(Exit.INTERRUPTED)


def _comes_of_an_interruption(error: BaseException | None) -> bool:
    """Tell whether a library has made an error of its own of Ctrl-C or SIGTERM."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _told(error: LandbridgeError, words: Sequence[str]) -> int:
    from landbridge.cli.output import print_error

    with streams.unheard():
        print_error(error, as_json="--json" in words)
    return error.exit


def _unsaid(why: str) -> LandbridgeError:
    return DiskFailed(
        "the output takes no more of what the command says",
        seen=why,
        hint="give it room; what was done is done, and the same command says it again",
    )


def _app(words: Sequence[str]) -> typer.Typer:
    asked = next((word for word in words if not word.startswith("-")), "")
    app = typer.Typer(
        name="landbridge",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # plain help: drawing boxes costs 0.25 s
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_landbridge)
    for command in COMMANDS:
        if command.group:
            app.add_typer(_group(command, asked), name=command.name, help=command.help)
        else:
            app.command(command.name, short_help=command.help)(_function(command, asked))
    return app


def _function(command: Command, asked: str) -> Callable[..., object]:
    if command.name != asked:
        return _unasked
    function: Callable[..., object] = getattr(
        importlib.import_module(f"landbridge.cli.{command.module}"), command.name
    )
    return function


def _group(command: Command, asked: str) -> typer.Typer:
    if command.name != asked:
        return typer.Typer()
    app = importlib.import_module(f"landbridge.cli.{command.module}").app
    if not isinstance(app, typer.Typer):
        raise TypeError(command.module)
    return app


def _unasked() -> None:
    """Stand in the help for a command whose module nobody needs now."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"landbridge {__version__}")
        raise typer.Exit


def _landbridge(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Declare a file feed once; generate it, check it, carry it to the ground, and prove that it arrived.

    Start with `landbridge init`, then `landbridge twin up`.

    Exit codes: 0 done, 64 usage, 65 data, 69 unavailable, 70 a bug of Landbridge, 73/74 share or disk, 75 try again,
    76 integrity, 77 permission, 78 declaration, 130 interrupted.
    """
