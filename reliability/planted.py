"""Would the suite notice if a safeguard were taken away? Bugs that are planted one at a time, by altering a line of the product.

Each is a safeguard that somebody could remove in good faith. Histories of `crashes`, `power` and `races` are played in turn until one of them is
judged broken; a bug that no history shows within the bound is a hole in the suite.
"""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landbridge import decisions, delivered, reap, receipted, run
from landbridge.errors import LandbridgeError
from landbridge.ledger.book import Ledger
from landbridge.sftp import part
from landbridge.share import claims, consumers, folder, journal, landing, platform, session, settle
from landbridge.steps import decide, fetch, lodge, promote, validate
from reliability import memory_s3
from reliability.altered import altered
from reliability.corrections import corrected
from reliability.crashes import CI, crash
from reliability.figures import Figure
from reliability.histories import play
from reliability.power import power
from reliability.races import collectors_race
from reliability.spread import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reliability.histories import Trouble
    from reliability.kinds import Kind

MOST = 4_000
"""Histories in which a bug must show."""


def _strewn(seed: int) -> tuple[Kind, int, Trouble]:
    """Give histories of `crash` in no order: its first ones all die at their first calls."""
    return crash(seed * 7_919 % CI)


_SUITES = (_strewn, power, collectors_race)
"""Take turns."""


def _anywhere(_kind: Kind) -> bool:
    return True


def _with_links(kind: Kind) -> bool:
    return kind.way is platform.Way.LINK


def _with_renames(kind: Kind) -> bool:
    return kind.way is platform.Way.RENAME


def _delivering(kind: Kind) -> bool:
    return bool(kind.rows) and "bad" not in kind.rows


def _with_done_files(kind: Kind) -> bool:
    return kind.done


def _in_parts(kind: Kind) -> bool:
    return kind.large


def _with_strangers(kind: Kind) -> bool:
    return kind.stranger


@dataclass(frozen=True, slots=True)
class Bug:
    """One planted bug."""

    name: str
    edits: tuple[tuple[Callable[..., Any], str, str], ...]
    """Function, what it says, what it says instead."""
    where: Callable[[Kind], bool] = _anywhere
    """Situations in which it can show at all; the others are not played."""
    people: bool = False
    """Whether only people and reapers can show it, so that histories of theirs are played."""
    near: int = 0
    """Of each suite's histories, one shortly before the first that shows it, where that one is far: CI begins there."""


_SKIP = "pass"
_UNJUDGED = """from landbridge.facts import GateReport, Validated as Passed
        judged = Passed(staged, GateReport("", "", staged.content.rows, (), ())) or validate("""
_EARLY = """from datetime import UTC as utc
            from landbridge.facts import Receipt as Early
            early = [
                Early(one.feed, one.occurrence, one.business_date, one.revision, one.environment, one.size, one.sha256,
                    one.landed_name, ground.clock.now(), "edge1", one.commitment, content)
                for one, content in zip(manifests, came, strict=True) if isinstance(content, Brought)
            ]
            send(ground, early)
            landed: Sequence[Receipt | LandbridgeError] = claimed.land_all(came)"""

_INTENT_LATE = """self._keep(placed)
    self._session.journal.append_all(
        [(one.manifest.business_date, self._intents[one.claim]) for one in self._going()]
    )"""

BUGS = (
    Bug("the part is not fsynced", ((part.Part.finish, "self._disk.fsync(self._file)", _SKIP),)),
    Bug(
        "the consumer's folder is not fsynced after the rename",
        ((landing._Group.place, "self._keep(placed)", _SKIP),),
    ),
    Bug(
        "the parts' folder is not fsynced before the intent",
        ((landing._Group.intend, "self._session.folders.sync(self._session.parts)", _SKIP),),
    ),
    Bug(
        "the intent is not fsynced",
        (
            (
                landing._Group.intend,
                "for one in self._going()]\n    )",
                "for one in self._going()], durable=False\n    )",
            ),
        ),
    ),
    Bug(
        "a new folder of the consumer is not made to last",
        ((consumers.make_folders, "session.folders.sync(one.parent)", _SKIP),),
    ),
    Bug(
        "the session's own folders are not made to last",
        ((session.begin, "disk.sync_folder(settings.private)", _SKIP),),
    ),
    Bug(
        "a receipt does not say how its bytes came",
        ((settle.receipt_for, "brought=intent.brought", "brought=None"),),
        _delivering,
    ),
    Bug(
        "the done-file's name is not fsynced",
        ((landing._Group.record, "self._keep(done)", _SKIP),),
        _with_done_files,
    ),
    Bug(
        "the done-file comes before the file",
        (
            (
                landing._Group.place,
                "for one in self._going():\n        with",
                "for one in self._going():\n        name_done(self._session, self._intents[one.claim], one.claim)\n        with",
            ),
        ),
    ),
    Bug(
        "the intent is written after the rename",
        (
            (landing._Group.intend, "self._session.journal.append_all(", "list("),
            (
                landing._Group.place,
                "self._keep(placed)",
                _INTENT_LATE,
            ),
        ),
    ),
    Bug(
        "open intents of the journal are not settled",
        ((folder.FolderShare._settle, "if account.intents else {}", "if False else {}"),),
    ),
    Bug(
        "the journal's landed files are not looked at",
        (
            (folder._landed, "newest = account.newest", "newest = None"),
            (delivered.deliver, "claimed.land_all(came)", "claimed.land_all(came)"),
        ),
    ),
    Bug(
        "an intent without its part counts as not delivered",
        (
            (
                settle._was_delivered,
                "session.folders.sync)\n        return True\n    if by_link and session",
                "session.folders.sync)\n        return False\n    if by_link and session",
            ),
        ),
    ),
    Bug(
        "a link beside its part counts as not delivered",
        (
            (
                settle._was_delivered,
                "if by_link and was_linked(session.disk, last, one.intent.changed):",
                "if False:",
            ),
            (
                settle._was_delivered,
                "if by_link and session.disk.lstat(mine).st_nlink > 1:",
                "if False:",
            ),
        ),
        _with_links,
        near=1_090,
    ),
    Bug(
        "other collectors' claims are not looked at",
        (
            (claims.Claims.take, "busy = self._held_by_others(wanted, ())", "busy = {}"),
            (
                claims.Claims.take,
                "contested = self._held_by_others(made, _tokens(answers))",
                "contested = {}",
            ),
        ),
    ),
    Bug(
        "a claim that was taken over is no fence",
        (
            (
                claims.Claims.mark_landing,
                "self._disk.rename(self._claims / token, self._claims / (token + _LANDING))",
                _SKIP,
            ),
        ),
        _with_renames,  # no link leads through a claim that has not passed it
        near=240,
    ),
    Bug(
        "the claim is given back before the file has landed",
        (
            (
                folder.FolderShare.claim_all,
                "yield _FolderClaims(",
                "session.claims.release(tokens); yield _FolderClaims(",
            ),
        ),
    ),
    Bug(
        "what is left of a part is used without hashing it",
        (
            (
                fetch.fetch,
                "if resumed and came.content.sha256 != manifest.sha256:",
                "if resumed:\n        from dataclasses import replace\n        came = replace(came, content=replace(came.content, sha256=manifest.sha256))\n    if False:",
            ),
        ),
        _in_parts,
        near=550,
    ),
    Bug(
        "a file lands in place of another one",
        ((platform.give_name, "disk.rename_new(part, final)", "disk.rename(part, final)"),),
        _with_strangers,
    ),
    Bug(
        "a torn last line of the journal stays",
        (
            (
                journal._Day.own_file,
                "self._disk.ftruncate(self._file, self._read.setdefault(self._own, 0))",
                "self._read.setdefault(self._own, 0)",
            ),
        ),
        near=350,
    ),
    Bug(
        "the receipt is sent before the file has landed",
        (
            (
                delivered.deliver,
                "landed: Sequence[Receipt | LandbridgeError] = claimed.land_all(came)",
                _EARLY,
            ),
        ),
    ),
    Bug(
        "a receipt is journalled as sent before it is sent",
        ((receipted.send, "wrong = dict(", "ground.share.receipted(*receipts)\n    wrong = dict("),),
        _delivering,
    ),
    Bug(
        "a verdict is written without If-None-Match",
        ((memory_s3.MemoryStore.put_new, "new=True", "new=False"),),
    ),
    Bug(
        "a release is copied without If-None-Match",
        (
            (
                memory_s3.MemoryStore._copied,
                "self._bucket, checked(key), new=True",
                "self._bucket, checked(key), new=False",
            ),
            (promote.promote, "_there(commitment, reports) or ", ""),
        ),
    ),
    Bug(
        "the loser of a race goes on with its own bytes",
        (
            (Ledger.commit, "return self._commitment(key)", "return commitment"),
            (Ledger.digest, "if self._parsed(key, body) != commitment:", "if False:"),
        ),
    ),
    Bug(
        "the manifest is written before the file",
        ((promote.promote, "blob = _there(", "reports.put_new(name, manifest)\n    blob = _there("),),
    ),
    Bug("what was not validated is released", ((run.commit, "judged = validate(", _UNJUDGED),)),
    Bug("a broken contract is no reason", ((validate._verdict, "if not report.passed:", "if False:"),)),
    Bug(
        "an empty file is released",
        ((validate._verdict, "return Empty(staged, report)", "return Validated(staged, report)"),),
    ),
    Bug(
        "a quarantined file is not kept before its verdict",
        ((lodge.lodge, "return keep(judged, staging, suffix(file))", "return judged"),),
    ),
    Bug(
        "the plain file is released instead of the encrypted one",
        (
            (
                decide.decide,
                "Verdict.RELEASE, decided.ciphertext, decided.recipients",
                "Verdict.RELEASE, decided.validated.staged, decided.recipients",
            ),
        ),
    ),
    Bug(
        "a released file is reaped without a receipt",
        ((reap._landed, "return Why.NO_RECEIPT", "return one.committed_at"),),
        people=True,
    ),
    Bug(
        "the receipt of a revision lets the next one be reaped",
        ((reap._judged_release, "_landed(world, history[at:])", "_landed(world, history)"),),
        people=True,
    ),
    Bug(
        "the draft of what was not delivered yet is reaped",
        ((reap._drafts, "landed = since if promised is None else", "landed = since if True else"),),
        people=True,
    ),
    Bug(
        "a draft that revisions share goes with the receipt of the first one",
        ((reap._drafts, "promised = max(", "promised = min("),),
        people=True,
    ),
    Bug(
        "quarantined bytes are reaped before anybody decided",
        (
            (
                reap._judged_breach,
                "return Kept(Kind.QUARANTINED, blob, Why.UNDECIDED)",
                "return Due(Kind.QUARANTINED, str(breach.slot), blob, breach.committed_at)",
            ),
        ),
        people=True,
    ),
    Bug(
        "quarantined bytes that were released are reaped before they landed",
        (
            (
                reap._judged_breach,
                "return Kept(Kind.QUARANTINED, blob, landed)",
                "landed = since",
            ),
        ),
        people=True,
    ),
    Bug(
        "the reaper removes whatever has come under the name since",
        (
            (
                reap._removed,
                "store.remove(due.blob.at)",
                "[store.remove(one.at) for one in store.versions(due.blob.at.key)]",
            ),
        ),
        people=True,
    ),
    Bug(
        "a file that was reaped is released again",
        ((promote.promote, "if known is not None:", "if False:"),),
        people=True,
    ),
    Bug(
        "a redrive overwrites what it corrects",
        (
            (decisions._next, "newest.revision + 1 if newest else 1", "newest.revision if newest else 1"),
            (memory_s3.MemoryStore.put_new, "new=True", "new=False"),
        ),
        people=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Caught:
    """How a planted bug showed."""

    bug: str
    runs: int
    """Histories it took; 0 when none showed it."""
    problem: str = ""


def caught(
    bug: Bug, most: int = MOST, history: Callable[[int], list[str]] | None = None, first: int = 0
) -> Caught:
    """Play histories with the bug in place until one of them is broken; those of `history`, by seed, if it is given.

    `first` of each suite's histories are not played.
    """
    with ExitStack() as planted:
        by_function: dict[Any, list[tuple[str, str]]] = {}
        for function, old, new in bug.edits:
            by_function.setdefault(function, []).append((old, new))
        for function, edits in by_function.items():
            planted.enter_context(altered(function, *edits))
        runs = 0
        for seed in itertools.count(first * len(_SUITES)):
            kind, chance, trouble = _SUITES[seed % len(_SUITES)](seed // len(_SUITES))
            if history is None and not bug.where(kind):
                continue
            runs += 1
            try:
                if history is not None:
                    problems = history(seed)
                else:
                    problems = (
                        corrected(seed).problems if bug.people else play(kind, chance, trouble).problems
                    )
            except (AssertionError, LookupError, TypeError, ValueError, OSError, LandbridgeError) as error:
                problems = [f"{type(error).__name__}: {error}"]
            if problems:
                return Caught(bug.name, runs, problems[0])
            if runs == most:
                break
    return Caught(bug.name, 0)


def _caught(number: int) -> Caught:
    return caught(BUGS[number])


def planted() -> Figure:
    """Plant every bug, and see each of them caught, on all processors.

    Raises:
        AssertionError: one is not; names it.
    """
    return all_caught("planted bugs, each caught", 20, spread(_caught, range(len(BUGS))), "histories")


def all_caught(part: str, asked: int, bugs: Iterable[Caught], runs: str) -> Figure:
    """See that each planted bug was caught, and say in how many `runs`, such as "histories".

    Raises:
        AssertionError: one is not; names it.
    """
    began = time.monotonic()
    found = list(bugs)
    if missed := [one.bug for one in found if not one.runs]:
        raise AssertionError(f"not caught in as many {runs} as were played: {'; '.join(missed)}")
    names = "; ".join(f"{one.bug} ({one.runs})" for one in found)
    return Figure(part, asked, len(found), time.monotonic() - began, 0, f"{runs} it took: {names}")
