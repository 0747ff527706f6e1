"""Does a name from the other side ever lead out of its folder, or onto another file? Every name, in every place one can come from."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.absent import absent
from landbridge.collect import collect
from landbridge.errors import ContractBroken, IntegrityBroken, LandbridgeError
from landbridge.held import Wanted
from landbridge.land import land
from landbridge.ledger import entries
from landbridge.ports import Blob, RemoteFile
from landbridge.released import State
from reliability.figures import Figure
from tests.contract import bridge
from tests.fakes.folder_remote import FolderRemote
from tests.fakes.memory_store import MemoryStore
from tests.stories.bridgehead import DAY, Bridgehead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.released import Outcome

_BODY = b"id,amount\n1,2.50\n"
_DEVICES = (
    "CON",
    "PRN",
    "AUX",
    "NUL",
    "CONIN$",
    "CONOUT$",
    "COM1",
    "COM9",
    "LPT1",
    "LPT9",
    "COM\u00b9",
    "LPT\u00b3",
)
_INVISIBLE = (
    *map(chr, range(32)),
    *map(chr, range(127, 160)),
    *"\u00ad\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\ufff9",
    *"\ue000\ufdd0\U000e0041\ud800\udc80\udfff",  # private use, no character, a tag, halves of pairs
)
NAMES = (
    *(
        "",
        ".",
        "..",
        "...",
        "../x",
        "..\\x",
        "a/../../x",
        "/etc/x",
        "//host/x",
        "\\\\host\\x",
        "C:x",
        "C:\\x",
    ),
    *("~/x/../y", "x/..", "x//y", "x/./y", "/", "\\", "x/", "./x", "%2e%2e/\x00", "..%00/x", "....//x"),
    *(f"in{letter}out.csv" for letter in '<>:"|?*\\'),
    *(f"a{letter}b.csv" for letter in _INVISIBLE),
    *("x\n", "\nx", "x\r\n.csv", "\ufeffx.csv", "x\u202evsc.exe"),
    *(form for device in _DEVICES for form in (device, f"{device.lower()}.csv", f"{device.title()}.tar.d")),
    *(
        "x.",
        "x ",
        "x. .",
        "x.csv.",
        "x.csv ",
        " x.csv",
        ".x",
        ".landbridge",
        ".landbridge/uat/journal",
        "..x",
    ),
    *("_manifests", "_MANIFESTS", "_Manifests/x", "_absences", "_Absences"),
    *(
        "e\u0301.csv",
        "A\u030a.csv",
        "\u212b.csv",
        "\u1100\u1161.csv",
        "\u0958.csv",
        "\u2126.csv",
        "\u2000x.csv",
    ),
    *("x" * 256, "é" * 128, "\U0001f600" * 64, "x/" + "y" * 300, "x/" * 600 + "y", "x" * 5000),
)
"""None is plain. Texts that two systems write in two ways (NFD and the like) are among them, as is what only Windows minds."""
TWINS = (
    ("REPORT.csv", "report.csv"),
    ("Report.CSV", "REPORT.csv"),
    ("stra\u00dfe.csv", "STRASSE.csv"),
    ("stra\u00dfe.csv", "stra\u1e9ee.csv"),
    ("\u00e9t\u00e9.csv", "\u00c9T\u00c9.csv"),
    ("\u03c3\u03b1\u03c2.csv", "\u03a3\u0391\u03a3.csv"),
    ("\ufb01le.csv", "file.csv"),
    ("\u0130.csv", "i\u0307.csv"),
    ("\u01c4.csv", "\u01c6.csv"),
    ("\u1e66.csv", "\u1e67.csv"),
    ("\uff21.csv", "\uff41.csv"),
    ("in/A.csv", "in/a.csv"),
)
"""Two plain names that some system takes for one."""
APART = (("\uff21.csv", "A.csv"), ("\u0131.csv", "i.csv"), ("o.csv", "\u043e.csv"), ("1.csv", "\u0661.csv"))
"""Two plain names that look alike and that no file system takes for one: both land."""
_BAD_FIELDS: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("feed", ("../x", "Flights", "x/y", "", "x" * 64, "fl\u0131ghts", "flights\n", 7, None)),
    (
        "occurrence",
        ("../20", "2026-11-20/..", "2026-11-20\n", "\u0662\u0660\u0662\u0666-11-20", "", 20261120),
    ),
    ("environment", ("../DEV", "D\u0415V", "dev", "DEV/..", "", None)),
    ("revision", (0, -1, 10_000, True, "1", 1.0)),
    (
        "remote_path",
        ("/receipts/x", "outbound/x", "/outbound/../x", "/outbound/a/../../x", "/etc/passwd", "/outbound/"),
    ),
    ("size", (-1, 10**18, "5", 1.5)),
    ("sha256", ("A" * 64, "a" * 63, "../" + "a" * 61, "")),
    ("business_date", ("2026-11-21", "20261120", "../x", None)),
)


@dataclass(frozen=True, slots=True)
class Tree:
    """Everything below a folder: each name, what it is, and its bytes."""

    entries: dict[str, tuple[str, str]]


def tree(folder: Path) -> Tree:
    """Look at all of it; links are not followed."""
    found = {}
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(top) / name
            if path.is_symlink():
                what = ("link", str(path.readlink()))
            elif not path.is_file():
                what = ("folder" if path.is_dir() else "something", "")
            else:
                what = ("file", hashlib.sha256(path.read_bytes()).hexdigest())
            found[str(path.relative_to(folder))] = what
    return Tree(found)


class Standing:
    """What names are tried on."""

    """A server, a share with a file of somebody's on it, and canaries around them."""

    def __init__(self, folder: Path) -> None:
        self.head = Bridgehead(folder / "in" / "bridge")
        for place in (folder / "in", self.head.folder, self.head.root):
            (place / "x").write_text("canary")
            (place / "out.csv").write_text("canary")
        self._around = folder
        self.minute = 0

    def outside(self) -> Tree:
        """Everything but what the server shows, and our own notes on the share."""
        found = tree(self._around).entries
        own = (
            f"{self.head.server.relative_to(self._around)}/",
            f"{(self.head.root / '.landbridge').relative_to(self._around)}/",
        )
        return Tree({name: what for name, what in found.items() if not name.startswith(own)})

    def announce(self, **changed: object) -> str:
        """Release a file under a name of its own, with a manifest in which something is changed; give the manifest's name."""
        self.minute += 1
        occurrence = f"20261120T{self.minute // 60:02d}{self.minute % 60:02d}Z"
        manifest = self.head.release(_BODY, occurrence=occurrence, done=f"x{self.minute}.done")
        document = json.loads(entries.written("manifest", manifest))
        name = f"flights.{occurrence}.0001.json"
        written = json.dumps({**document, **changed}).encode()  # a lone half of a pair stays one
        (self.head.outbound / "_manifests" / f"{DAY}" / name).write_bytes(written)
        return name

    def collect(self, remote: FolderRemote | None = None) -> list[Outcome]:
        """Collect what is announced."""
        with self.head.share() as share:
            return collect(self.head.ground(remote or FolderRemote(self.head.server), share), DAY)


def in_manifests(standing: Standing) -> int:
    """Announce files whose manifests hold hostile names; give how many were refused."""
    before = standing.outside()
    asked = [
        standing.announce(**{field: value})
        for name in NAMES
        for field, value in (
            ("landed_name", name),
            ("landed_name", f"in/{name}"),
            ("done_name", name or "/"),  # an empty one means none
            ("remote_path", f"/outbound/{name}"),
        )
    ]
    asked += [standing.announce(**{field: value}) for field, values in _BAD_FIELDS for value in values]
    _refused(standing.collect(), set(asked))
    assert standing.outside() == before, "something was written for a manifest that is not to be trusted"
    return len(asked)


def _refused(outcomes: Sequence[Outcome], asked: set[str]) -> None:
    told = {
        one.what for one in outcomes if one.state is State.REFUSED and isinstance(one.error, IntegrityBroken)
    }
    assert told >= asked, f"not refused: {sorted(asked - told)[:3]}"
    others = [one for one in outcomes if one.state is not State.REFUSED]
    assert not others, f"delivered: {others[:3]}"


def in_listings(standing: Standing) -> int:
    """Let the server list hostile names of files and folders; give how many were shown."""
    shown = [name for name in NAMES if name]

    class Listing(FolderRemote):
        asked: list[str] = []  # noqa: RUF012 - of this one listing

        def files(self, folder: str) -> list[RemoteFile]:
            more = [
                RemoteFile(f"{folder}/{name}", name, 300)
                for name in (*shown, *(f"{name}.json" for name in shown))
            ]
            return [*super().files(folder), *more]

        def folders(self, folder: str) -> list[str]:
            self.asked.append(folder)
            days = ["20261120", "2026-W47-5", "2026-11-20 ", "\u0662\u0660\u0662\u0666-11-20", *shown]
            return [*super().folders(folder), *days, *super().folders(folder)]

        def read_many(self, files: Sequence[RemoteFile]) -> list[bytes]:
            assert all(one.name.startswith("flights.") for one in files), f"read {files}"
            return super().read_many(files)

    good = standing.announce()
    before = standing.outside()
    outcomes = standing.collect(Listing(standing.head.server))
    ended = [one for one in outcomes if one.state not in {State.REFUSED, State.STRANGE}]
    occurrence = good.split(".")[1]
    assert [(one.what, one.state) for one in ended] == [(f"flights/{occurrence}", State.DELIVERED)], ended
    told = "".join(one.what for one in outcomes)
    assert told.isprintable(), "a name was told as it is, control characters and all"
    landed = set(standing.outside().entries) - set(before.entries)
    assert {Path(name).name for name in landed} == {ended[0].path, f"x{standing.minute}.done"}, landed
    return 2 * len(shown)


def twins(standing: Standing) -> int:
    """Announce names that some system takes for one; the first lands, and nothing else is touched."""
    for number, (first, second) in enumerate(TWINS):
        folder = f"twins{number}"
        outcomes = []
        for name in (first, second):
            standing.announce(landed_name=f"{folder}/{name}", done_name="")
            outcomes += standing.collect()
        assert [one.state for one in outcomes] == [State.DELIVERED, State.REFUSED], (
            f"{first!r} {second!r} {outcomes}"
        )
        assert [one.state for one in standing.collect()] == [State.REFUSED]
        assert standing.head.seen()[f"{folder}/{first}"] == _BODY
        for path in (standing.head.outbound / "_manifests" / f"{DAY}").iterdir():
            path.unlink()
    for number, pair in enumerate(APART):
        for name in pair:
            standing.announce(landed_name=f"apart{number}/{name}", done_name="")
        assert {one.state for one in standing.collect()} == {State.DELIVERED}, pair
    occupied = standing.head.root / "x"
    standing.announce(landed_name="x", done_name="")
    assert [one.state for one in standing.collect()] == [State.REFUSED]
    assert occupied.read_text() == "canary", "a file of somebody's was replaced"
    return 2 * len(TWINS) + 2 * len(APART) + 1


def through_links(standing: Standing) -> int:
    """Put links where a file is to land; what they lead to stays as it is."""
    away, root = standing.head.folder / "away", standing.head.root
    away.mkdir()
    (away / "victim.csv").write_text("canary")
    (root / "away").symlink_to(away)
    (root / "up").symlink_to("..")
    (root / "deep").mkdir()
    (root / "deep" / "away").symlink_to(away)
    (root / "victim.csv").symlink_to(away / "victim.csv")
    (root / "nowhere.csv").symlink_to(away / "new.csv")
    names = (
        "away/new.csv",
        "up/new.csv",
        "deep/away/new.csv",
        "deep/away/further/new.csv",
        "victim.csv",
        "nowhere.csv",
    )
    before = standing.outside()
    for name in names:
        standing.announce(landed_name=name, done_name="")
        standing.announce(landed_name=f"fine{standing.minute}.csv", done_name=name)
    outcomes = standing.collect()
    after = standing.outside().entries
    own = f"{root.relative_to(standing.head.folder.parent.parent)}/fine"
    new = {name for name in after if name not in before.entries and not name.startswith(own)}
    assert not new, f"landed behind a link: {new}"
    assert {name: after[name] for name in before.entries} == before.entries, (
        "what a link leads to was changed"
    )
    assert all(one.error is not None for one in outcomes if not one.path.startswith("fine")), outcomes
    return 2 * len(names)


def in_holding(standing: Standing) -> int:
    """Let a mover put hostile names, links and strange files into the holding folder; nothing of them lands."""
    head = standing.head
    held = head.held()
    put = 0
    for name in NAMES:
        if "/" in name or "\0" in name:
            continue
        with suppress(OSError, UnicodeError):
            (held / name).write_bytes(_BODY)
            put += 1
    for number, raw in enumerate((b"\xff\xfe.csv", b"caf\xe9.csv", b"x\xc0\xae\xc0\xae.csv")):
        Path(os.fsdecode(os.fsencode(held) + b"/" + raw)).write_bytes(_BODY + b"%d" % number)
        put += 1
    secret = head.folder / "secret"
    secret.write_bytes(_BODY)
    manifests = [head.release(_BODY, occurrence=f"20261120T20{minute:02d}Z") for minute in range(6)]
    for manifest, lead in zip(
        manifests,
        (str(secret), "../../../../../secret", "/dev/zero", "/proc/self/environ", "."),
        strict=False,
    ):
        (held / manifest.remote_path.rsplit("/", 1)[-1]).symlink_to(lead)
    os.mkfifo(held / manifests[5].remote_path.rsplit("/", 1)[-1])
    before = standing.outside()
    with head.share() as share:
        ground = head.ground(FolderRemote(head.server), share)
        outcomes = land(ground, head.holding, Wanted(("flights",), DAY), partial(absent, ground))
    about = [one for one in outcomes if one.state is not State.REFUSED]
    assert not about, f"landed or waited for: {about}"
    assert standing.outside() == before
    return put + len(manifests)


class _Listed(MemoryStore):
    """A bucket with whatever keys S3 takes; the store's own check of keys is for what we write."""

    def plant(self, key: str, body: bytes) -> None:
        """Put an object there as a stranger would."""
        self.objects[key] = []
        self._add_unchecked(key, body)

    def _add_unchecked(self, key: str, body: bytes) -> Blob:
        return super()._add(key, body)


def in_buckets(folder: Path) -> int:
    """List hostile keys in a bucket that is a source; they are read as data or refused, and never become paths."""
    made = folder / "bucket"
    made.mkdir()
    before, planted = tree(folder), 0
    for name in NAMES:
        if not name or any("\ud800" <= letter <= "\udfff" for letter in name):
            continue  # S3's keys are UTF-8
        store = _Listed()
        store.plant(f"in/{name}", b"id\n1\n")
        planted += 1
        with suppress(LandbridgeError):
            taken = bridge.read(
                bridge.around(made, stores=lambda _, store=store: store),  # type: ignore[misc] # bound now
                kind="files",
                path="s3://bucket/in/*",
                format="csv",
                none_is="empty",
                columns={"id": "string"},
            )
            assert taken.rows in ([], [{"id": "1"}]), name
        assert tree(folder) == before, f"the key {name!r} left something behind"
    return planted


def in_folders(folder: Path) -> int:
    """Put hostile names and links into a folder that is a source; nothing from outside is read."""
    made = folder / "project"
    (made / "in").mkdir(parents=True)
    (folder / "secret.csv").write_text("id\nsecret\n")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "secret.csv").write_text("id\nsecret\n")
    put = 0
    for name in NAMES:
        if "/" in name or "\0" in name or not name:
            continue
        with suppress(OSError, UnicodeError):
            os.fsencode(name).decode()  # those are below
            (made / "in" / name).write_text("id\n1\n")
            put += 1
    taken = bridge.read(bridge.around(made), kind="files", path="in/*", format="csv")
    assert {row["id"] for row in taken.rows} == {"1"}
    for raw in (b"caf\xe9.csv", b"\xff\xfe.csv", b"x\xc0\xae.csv"):
        strange = Path(os.fsdecode(os.fsencode(made / "in") + b"/" + raw))
        strange.write_text("id\n1\n")
        try:
            bridge.read(bridge.around(made), kind="files", path="in/*", format="csv")
        except ContractBroken:
            pass
        else:
            raise AssertionError(f"{raw!r} was read, and its name cannot be told")
        strange.unlink()
        put += 1
    links = ("../../secret.csv", str(folder / "secret.csv"), "../../elsewhere/secret.csv")
    for lead in links:
        link = made / "in" / "link.csv"
        link.symlink_to(lead)
        _nothing_secret(made, "in/*")
        link.unlink()
    (made / "in" / "away").symlink_to(folder / "elsewhere")
    _nothing_secret(made, "in/*/*")
    return put + len(links) + 1


def _nothing_secret(project: Path, pattern: str) -> None:
    with suppress(LandbridgeError):
        taken = bridge.read(
            bridge.around(project),
            kind="files",
            path=pattern,
            format="csv",
            none_is="empty",
            columns={"id": "string"},
        )
        assert "secret" not in {row["id"] for row in taken.rows}, f"a link led `{pattern}` out of its folder"


def names() -> Figure:
    """Try every name in every place."""
    began, counts = time.monotonic(), {}
    for place in (in_manifests, in_listings, twins, through_links, in_holding):
        with tempfile.TemporaryDirectory(prefix="landbridge-names-") as folder:
            counts[place.__name__] = place(Standing(Path(folder)))
    for source in (in_buckets, in_folders):
        with tempfile.TemporaryDirectory(prefix="landbridge-names-") as folder:
            counts[source.__name__] = source(Path(folder))
    return Figure(
        "hostile names: none escapes, none overwrites",
        200,
        len(set(NAMES)) + 2 * len(TWINS) + 2 * len(APART),
        round(time.monotonic() - began, 1),
        0,
        f"{sum(counts.values())} cases: "
        + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()),
    )
