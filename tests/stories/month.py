"""How does a month pass in minutes? The emitted artefacts on a real S3 and SFTP, with a clock that jumps and runs in this process."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Self

from examples.demo import write_recipient_key
from examples.eidv import api
from landbridge import collect, land, reap, run, wiring
from landbridge.absent import absent
from landbridge.awaiting import Awaited, Look, collect_slots, collect_until_deadline
from landbridge.cli.outcomes import exit_of
from landbridge.cli.output import Silent
from landbridge.errors import Exit, LandbridgeError
from landbridge.facts import Commitment, Verdict
from landbridge.held import Wanted
from landbridge.project import place
from landbridge.stores.aws_session import session as begun
from landbridge.twin import emitted, twin
from landbridge.twin.programs import Command, Ended
from landbridge.wiring import choice, cloud_side, ground_side, reap_side
from landbridge.wiring.process import Process
from tests.stories.stepped import Stepped, surrounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landbridge.ports import Clock
    from landbridge.project import Declaration
    from landbridge.released import Outcome
    from landbridge.twin.state import TwinState
    from landbridge.world import Cloud, Ground

ROOT = Path(__file__).parents[2]
ENVIRONMENT = "DEV"


class SimulatedClock:
    """Obeys ports.Clock; the command that runs sets it to its own beginning."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Inside:
    """Landbridge in this process; obeys programs.Program. Worlds are built by wiring, once, with the simulation's clock."""

    twin: TwinState
    project: Declaration
    clock: SimulatedClock
    stepped: Stepped
    look_every: timedelta
    """How often a collection that waits looks; the emitted command leaves it at 30 seconds."""
    kept: Path
    _pods: dict[str, tuple[Declaration, Cloud]] = field(default_factory=dict)
    """By what the ConfigMap holds: the declaration that pods read, and their cloud."""
    _grounds: dict[str, Ground] = field(default_factory=dict)

    def run(self, command: Command) -> Ended:
        self.clock.at = command.at
        with surrounded(command.environment):
            try:
                code, said = self._run(command)
            except LandbridgeError as error:
                code, said = error.exit, str(error)
        waited = "--until-deadline" in command.arguments
        now = self.stepped.now() if waited else self.clock.at
        return Ended(int(code), said, now - command.at + timedelta(seconds=20))

    def close(self) -> None:
        for ground in self._grounds.values():
            ground.remote.close()
            ground.share.close()

    def _run(self, command: Command) -> tuple[int, str]:
        words = list(command.arguments)
        options = {
            word: words[at + 1]
            for at, word in enumerate(words)
            if word.startswith("--") and at + 1 < len(words)
        }
        match words[0]:
            case "run":
                return self._cloud_side(words[1], options, command.environment)
            case "reap":
                return self._reaping(options)
            case "land":
                return self._landing(options)
            case "collect" if "--until-deadline" in words:
                return self._waiting(options)
            case "collect":
                return self._collection(options)
            case other:
                raise AssertionError(other)

    def _cloud_side(self, name: str, options: Mapping[str, str], given: Mapping[str, str]) -> tuple[int, str]:
        declared, cloud = self._pod(Path(options["--project"]))
        feed = choice.feed_of(declared, name, options["--environment"])
        job = given.get("LANDBRIDGE_JOB_NAME", "")
        if job and (nothing := choice.no_slot_because(declared, feed, job)):
            return Exit.DONE, nothing
        slot = choice.slot_of(declared, feed, options.get("--date", ""), now=self.clock.now(), job_name=job)
        outcome = run.run(feed, choice.due(slot, self.clock.now(), early=False), cloud)
        broken = isinstance(outcome, Commitment) and outcome.verdict is Verdict.QUARANTINE
        return (Exit.DATA if broken else Exit.DONE), str(slot)

    def _reaping(self, options: Mapping[str, str]) -> tuple[int, str]:
        """Remove what has had its time; the twin's buckets date what they keep by the real clock."""
        declared = wiring.declaration(Path(options["--project"]))
        session = begun(self.twin.region)
        world = reap_side.make(
            declared,
            place(declared.project, ENVIRONMENT),
            session=session,
            endpoint=None,
            references=wiring._references(declared, session),
            process=self._process(),
            ground=self.twin.ground,
        )
        done = reap.reap(world, reap.harvest(world))
        return (Exit.IO if done.failed else Exit.DONE), f"{len(done.removed)} removed"

    def _landing(self, options: Mapping[str, str]) -> tuple[int, str]:
        feed = choice.feed_of(self.project, options["--feed"], options["--environment"])
        slots = choice.scheduled(self.project, feed, options["--scheduled"], now=self.clock.now())
        wanted = Wanted((feed.feed,), min(slot.business_date for slot in slots), tuple(slots))
        host = self._host(f"land.{feed.feed}")
        ground = self._ground(host)
        outcomes = land.land(ground, ground_side.holding(host), wanted, partial(absent, ground))
        return exit_of(outcomes), _told(outcomes)

    def _collection(self, options: Mapping[str, str]) -> tuple[int, str]:
        since = (self.clock.now() - timedelta(days=45)).date()
        feeds = [options["--feed"]] if "--feed" in options else []
        outcomes = collect.collect(self._ground(self._host("")), since, feeds)
        return exit_of(outcomes), _told(outcomes)

    def _waiting(self, options: Mapping[str, str]) -> tuple[int, str]:
        feed = choice.feed_of(self.project, options["--feed"], options["--environment"])
        said: list[str] = []

        def tell(outcomes: Sequence[Outcome]) -> int:
            said.append(_told(outcomes))
            return exit_of(outcomes)

        ground = self._ground(self._host(f"collect.{feed.feed}", self.stepped))
        feeds = ((feed, choice.calendar(self.project, feed)),)
        awaited = Awaited(feeds, self.project.project.overdue_after, partial(absent, ground))
        look = Look(
            timedelta(days=45),
            self.look_every,
            tell,
            lambda error: said.append(str(error)),
            lambda one: said.append(one.state),
        )
        if "--scheduled" not in options:
            return collect_until_deadline(ground, awaited, look), "; ".join(filter(None, said))
        slots = choice.scheduled(self.project, feed, options["--scheduled"], now=self.stepped.now())
        return collect_slots(ground, awaited, slots, look), "; ".join(filter(None, said))

    def _pod(self, folder: Path) -> tuple[Declaration, Cloud]:
        if folder == self.project.folder:  # somebody at a terminal
            return self.project, self._cloud(self.project)
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
        name = digest.hexdigest()
        if name not in self._pods:
            kept = self.kept / name
            shutil.copytree(folder, kept)
            declared = wiring.declaration(kept)
            self._pods[name] = declared, self._cloud(declared)
        return self._pods[name]

    def _cloud(self, declared: Declaration) -> Cloud:
        session = begun(self.twin.region)
        return cloud_side.make(
            declared,
            place(declared.project, ENVIRONMENT),
            session=session,
            endpoint=None,
            references=wiring._references(declared, session),
            process=self._process(),
        )

    def _ground(self, host: ground_side.Host) -> Ground:
        if host.collector not in self._grounds:
            self._grounds[host.collector] = ground_side.make(host)
        return self._grounds[host.collector]

    def _host(self, part: str, clock: Clock | None = None) -> ground_side.Host:
        return ground_side.Host(
            declared=self.project,
            place=place(self.project.project, ENVIRONMENT),
            references=wiring._references(self.project, None),
            twin=self.twin.ground,
            collector=f"simulated.{part}",
            sftp_client="",
            process=self._process(clock),
        )

    def _process(self, clock: Clock | None = None) -> Process:
        return Process(clock=clock or self.clock, progress=Silent(), run_id="simulated", actor="simulated")


def _told(outcomes: Sequence[Outcome]) -> str:
    return ", ".join(f"{one.what} {one.state.value} {one.error or ''}".strip() for one in outcomes)


class Upstream:
    """The verification service in this process; it refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.refused: set[tuple[str, str]] = set()
        """Paths with the value that they are asked for: a date, or `until`."""
        refused = self.refused

        class Refusing(api.Api):
            def _page(self, path: str, asked: dict[str, str]) -> None:
                if refused & {(path, value) for value in asked.values()}:
                    raise api.Refused
                super()._page(path, asked)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join(10)
        self.server.server_close()


@dataclass
class Month:
    """A simulation under way."""

    declaration: Declaration
    twin: TwinState
    made: emitted.Schedulers
    program: Inside
    upstream: Upstream
    outside: Mapping[str, str]

    def by_hand(self, at: datetime, feed: str, occurrence: str) -> None:
        """Let an operator run a slot at an instant."""
        words = (
            "run",
            feed,
            "--date",
            occurrence,
            "--environment",
            ENVIRONMENT,
            "--project",
            str(self.declaration.folder),
        )
        given = {
            **self.outside,
            **self.twin.environment_of(self.twin.pod),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

        def typed() -> None:
            ended = self.program.run(
                Command(
                    words,
                    given,
                    self.declaration.folder,
                    self.twin.folder / "operator.log",
                    at,
                    timedelta(hours=1),
                )
            )
            assert ended.exit == 0, ended.output

        self.made.agenda.at(at, typed)

    def pass_until(self, instant: datetime) -> None:
        """Let time pass; what waits is followed up at each instant at which anything happens."""
        agenda = self.made.agenda
        while (following := agenda.next) is not None and following <= instant:
            agenda.advance(following)
        agenda.advance(instant)


def laid_out(folder: Path, *, style: str = "native") -> Path:
    """Lay the example out, as a user would have it who chose a style of Control-M's jobs."""
    shutil.copytree(ROOT / "examples" / "eidv", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (folder / "keys").mkdir(exist_ok=True)
    write_recipient_key(folder / "keys")
    if style == "agent":
        file = folder / "landbridge.yaml"
        native = "  share: {user: svc_edbh_mft, password: edbh-share}\n"
        text = file.read_text(encoding="utf-8")
        assert native in text
        file.write_text(text.replace(native, "  style: agent\n"), encoding="utf-8")
    return folder


@contextmanager
def simulated(project: Path, since: datetime, *, look_every: timedelta) -> Iterator[Month]:
    """Set the example up at an instant, everything from what was emitted."""
    declaration = wiring.declaration(project)
    with ExitStack() as parts:
        upstream = parts.enter_context(Upstream())
        outside = {**os.environ, **api.environment(upstream.server.server_port)}
        up = parts.enter_context(twin.running(declaration, ENVIRONMENT, progress=Silent())).state
        emitted.emit(declaration, ENVIRONMENT, up.folder)
        emitted.prepare(declaration, up)
        workers = Stepped()
        program = Inside(up, declaration, SimulatedClock(since), workers, look_every, project / "kept")
        parts.callback(program.close)
        made = emitted.schedulers(
            declaration, up, since, workers=workers, program=program, outside=outside, look_every=look_every
        )
        parts.callback(made.close)
        workers.agenda = made.agenda
        made.start()
        yield Month(declaration, up, made, program, upstream, outside)


def at(text: str) -> datetime:
    """Read an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
