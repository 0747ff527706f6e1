"""What do the steps ask of the world, and what does each answer promise?

Every promise here is a test in tests/contract, run against every implementation.
Retrying is a wrapper around a port (wiring sets it), never a habit at call sites.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime
    from pathlib import Path

    import pyarrow as pa

    from landbridge.errors import LandbridgeError
    from landbridge.facts import (
        Brought,
        Content,
        Fetched,
        GateReport,
        Location,
        Manifest,
        Receipt,
        Slot,
        SourceFact,
    )
    from landbridge.feed.outputs import Csv
    from landbridge.notices import Notice


class Clock(Protocol):
    """The time, so that tests and simulations can set it."""

    def now(self) -> datetime:
        """Give the current instant, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...


class Progress(Protocol):
    """Somebody who watches a step advance. A silent one is the default when nobody is watching."""

    def start(self, step: str, total: int | None, unit: str) -> None:
        """Say that `step` begins; `total` in `unit` ("B", "rows", "files"), None when unknown."""
        ...

    def advance(self, step: str, amount: int) -> None:
        """Add `amount` units to `step`. Cheap enough to call for every batch; safe from several threads."""
        ...

    def finish(self, step: str) -> None:
        """Say that `step` is over, well or not."""
        ...


@dataclass(frozen=True, slots=True)
class Blob:
    """An object in a store, as the store describes it."""

    at: Location
    size: int
    modified_at: datetime
    sha256: str = ""
    """Lower-case hex, empty where the store does not keep it."""


class Store(Protocol):
    """A bucket (or a prefix of one, or a folder). Keys are relative, `/`-separated, without `..`.

    An object appears whole or not at all, and a reader sees either none or all of it.
    After a write returns, every later read by anybody sees it (S3 since 2020 is strongly consistent).
    Every call may raise Unavailable (retry may help) or NotPermitted (it will not).
    """

    name: str
    """`s3://bucket/prefix` or `file:///folder`: the `store` of every Location it gives."""

    def put_file(self, key: str, path: Path, content: Content) -> Blob:
        """Write the file at `path` under `key`, all or nothing, with a checksum the server verifies.

        Reads once, in parts; memory does not grow with the size. Idempotent: the same bytes again are fine
        and may be skipped. For names that contain the digest; a final name goes through `copy_new`.

        Raises:
            IntegrityBroken: the file's bytes are not `content`; nothing is visible under `key`.
        """
        ...

    def put_new(self, key: str, body: bytes) -> Blob:
        """Create `key`, only if nobody has; the one commit point of the protocol (`If-None-Match: *`).

        Of any number of concurrent callers exactly one returns. A caller that lost its answer and tries
        again with the same bytes gets the blob, not a conflict.

        Raises:
            StoreConflict: `key` exists with other bytes.
        """
        ...

    def copy_new(self, source: Location, key: str, content: Content) -> Blob:
        """Copy `source` (any store of the same kind, this version only) to `key`, only if nobody has written it.

        Any size (above 5 GiB in parts). Server side where the store can. A crash leaves nothing visible.
        The same bytes already there are fine: the blob is returned.

        Raises:
            StoreConflict: `key` exists with bytes other than `content`.
            NotFound: `source` is gone.
            IntegrityBroken: `source` no longer has the bytes of `content`.
        """
        ...

    def head(self, key: str) -> Blob | None:
        """Describe `key`, or None when it is not there."""
        ...

    def read(self, key: str) -> bytes:
        """Give the whole of a small object (at most 16 MiB: ledger entries, manifests, receipts).

        Raises:
            NotFound: it is not there.
        """
        ...

    def fetch(self, at: Location, path: Path) -> Content:
        """Download the object at `at` into the new file `path`, hashing what arrives; `rows` is 0 (unknown).

        Memory does not grow with the size. On error `path` is removed.

        Raises:
            NotFound: it is not there.
        """
        ...

    def chunks(self, at: Location, size: int = 8 << 20) -> Iterator[bytes]:
        """Stream the object at `at` in order, in pieces of about `size` bytes.

        Raises:
            NotFound: it is not there.
        """
        ...

    def list(self, prefix: str) -> Iterator[Blob]:
        """Give every object whose key starts with `prefix`, in key order (bytewise), with as many pages as it takes."""
        ...

    def versions(self, key: str) -> Sequence[Blob]:
        """Give every version of `key` that is still kept, oldest first; where none are kept, what is there now.

        Each can be read by its Location. For evidence that others may write more than once: the first valid one wins.
        """
        ...


class Erasable(Store, Protocol):
    """A store from which something may be removed for good; only the reaper is given one."""

    def remove(self, at: Location) -> None:
        """Remove the very object that `at` names, and nothing that came under its key before or since.

        With a version, that version for good: no marker hides it, nothing of it is kept. Where no versions are kept, the
        object under the key as long as its etag is the one of `at`. Idempotent: what is not there any more is fine.
        `at` is from `head` or `versions` (a listing names no version).
        """
        ...


class Place(Protocol):
    """A further declared place that gets a copy of every released file."""

    def deliver(self, source: Location, key: str, content: Content) -> Location:
        """Bring the bytes at `source` (in staging) to `key` of this place, only if nobody has; all or nothing.

        The same bytes already there are fine.

        Raises:
            StoreConflict: `key` exists with other bytes.
            IntegrityBroken: what arrived is not `content`; nothing is visible under `key`.
            NotFound: `source` is gone.
        """
        ...


@dataclass(frozen=True, slots=True)
class Extract:
    """One opened source: a stream of record batches with one schema, and the fact about it once the stream has ended."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    fact: list[SourceFact]
    """Empty until `batches` is exhausted, then exactly one."""


class Source(Protocol):
    """One declared source of a feed, bound to its slot."""

    def open(self, slot: Slot) -> AbstractContextManager[Extract]:
        """Open the source for `slot`; closing it releases connections whatever happened.

        Batches are bounded (about 64 Ki rows or 16 MiB), so memory does not grow with the result.

        Raises:
            Unavailable: the service did not answer properly after the declared retries.
            NotPermitted: it refused the credentials.
            ContractBroken: it answered something that is not what the declaration says (a page without the record path).
        """
        ...


@dataclass(frozen=True, slots=True)
class Lines:
    """One opened source whose rows come as lines of CSV."""

    columns: pa.Schema
    """Of the rows, as `Source.open` would give it."""
    batches: Iterator[pa.RecordBatch]
    """The line first, with its line end, in a column with an empty name; then the columns that were asked for beside it."""
    fact: list[SourceFact]
    """Empty until `batches` is exhausted, then exactly one."""


@runtime_checkable
class SourceLines(Source, Protocol):
    """A source that may also write its rows as lines of CSV itself. Optional: whatever it does not promise is done here."""

    def open_lines(
        self,
        slot: Slot,
        csv: Csv,
        formulas: Literal["reject", "escape", "allow"],
        beside: Collection[str],
    ) -> AbstractContextManager[Lines | None]:
        """Open the source for `slot`; None where it cannot write every line as `csv` and `formulas` declare.

        A line is byte for byte (as UTF-8) the one that our own writer makes of the row, or it is null: then the source
        is not sure of it, and the rows must be read by `open`, which sees the same ones. `beside` names the columns
        whose values come with the lines; a name that is no column is left out. Errors and bounds are those of `open`.
        """
        ...


class Signal(Protocol):
    """A readiness signal of an upstream: asked until it says yes or the limit has passed."""

    def ready(self, slot: Slot) -> bool:
        """Tell whether the data for `slot` may be read."""
        ...


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the SFTP server lists it. `name` comes from the other side: hostile until proven plain."""

    path: str
    name: str
    size: int


ONE_ANSWER = 255 << 10
"""Bytes up to which a file comes in one answer of an SFTP server (OpenSSH's own limit), so that many need no thread each."""


class Remote(Protocol):
    """The SFTP side. Paths are absolute below the user's logical home, `/`-separated. Safe from several threads.

    Every call may raise Unavailable (cut, refused, host away), NotPermitted (key or path refused) or
    IntegrityBroken (the host key is not the pinned one: stop, ask a person).
    A cut is not for ever: the next call connects again.
    """

    def files(self, folder: str) -> list[RemoteFile]:
        """Give the plain files of `folder` sorted by name; a folder that is not there is empty."""
        ...

    def folders(self, folder: str) -> list[str]:
        """Give the names of the folders in `folder`, sorted; a folder that is not there is empty."""
        ...

    def read(self, path: str) -> bytes:
        """Give the whole of a small file (at most 1 MiB: manifests, receipts).

        Raises:
            NotFound: it is not there.
            IntegrityBroken: it is larger.
        """
        ...

    def read_many(self, files: Sequence[RemoteFile]) -> list[bytes]:
        """Give many small files as `read` does, in the order asked, pipelined over the one connection.

        What `files` said of their sizes spares asking where they end; one that has grown since comes whole all the same.

        Raises:
            NotFound: one of them is not there.
            IntegrityBroken: one of them is larger than 1 MiB.
        """
        ...

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        """Bring `path` into the local file `into`, resuming what is already there, and fsync it.

        Reads are pipelined; `into` is written in order, so what a cut or a crash leaves is contiguous from 0 and is
        where the next try goes on. The sha256 covers all `size` bytes, the resumed ones re-read from disk.
        Many files are fast when many threads call at once: their round trips overlap.
        `watch` is told of every byte once, from the calling thread.

        Raises:
            NotFound: it is not there.
            IntegrityBroken: the remote file is shorter or longer than `size`.
            ShareRefused, DiskFailed: the local disk refused.
        """
        ...

    def download_many(
        self, wanted: Sequence[tuple[str, Path, int]], watch: Callable[[int], None] | None = None
    ) -> list[Fetched | LandbridgeError]:
        """Bring each of many small files (path, into, size), pipelined over the one connection; give what `download` would have raised for it.

        All that came is durable when this returns, and what goes wrong with one keeps no other from coming.
        """
        ...

    def write(self, path: str, body: bytes) -> None:
        """Put a small file (a receipt), making its folder when needed. Again with the same bytes is harmless."""
        ...

    def write_many(self, files: Sequence[tuple[str, bytes]]) -> list[LandbridgeError | None]:
        """Put each of many small files (path and bytes), pipelined over the one connection; give what `write` would have raised for it.

        What goes wrong with one keeps no other from being put.
        """
        ...

    def close(self) -> None:
        """End the connection; calls under way raise Unavailable. Idempotent, and later calls are refused."""
        ...


class Claim(Protocol):
    """Exclusive, fenced right to deliver to one slot. Whoever takes a stale claim over makes landing under it impossible."""

    @property
    def landed(self) -> Receipt | None:
        """What landed in the slot, if it is this revision or a later one; None means: deliver. What a crash left is settled.

        Settled means: an intent whose part is gone was delivered, though the consumer may have taken it by now.
        Also set when the final name already holds the manifest's very bytes: there is nothing left to deliver.
        """
        ...

    @property
    def part(self) -> Path:
        """The private file on the share's own volume to download into; what an earlier try left is in it."""
        ...

    @property
    def brought(self) -> Brought | None:
        """How a whole part came that a crash kept from landing, as far as the journal knows; None for any other part."""
        ...

    def there(self) -> int:
        """Tell how many bytes of the part an earlier try has left.

        Raises:
            ShareRefused, DiskFailed: the share cannot tell.
        """
        ...

    def begin_anew(self) -> None:
        """Throw the part away.

        Raises:
            ShareRefused, DiskFailed: the share refused.
        """
        ...

    def land(self, came: Brought) -> Receipt:
        """Check what came against the manifest, write the intent, rename without replacing, fsync, journal `landed`.

        The consumer's done-file, if one is declared, appears after the file. A part with other bytes is thrown away.
        How it came stands in the intent, and so in the receipt of whoever settles it.

        Raises:
            IntegrityBroken: size or sha256 differ, or the final name already holds other bytes.
            ShareRefused: the share is full, read-only, away, or the claim was taken over by another collector.
        """
        ...


class Claimed(Protocol):
    """Claims on several slots, whose files take each step on the share together: one fsync serves them all."""

    @property
    def claims(self) -> Sequence[Claim | LandbridgeError]:
        """The claim on each slot, in the order asked, or what `Share.claim` would have raised for it alone."""
        ...

    def land_all(
        self, came: Sequence[Brought | Receipt | LandbridgeError]
    ) -> list[Receipt | LandbridgeError]:
        """Do as `Claim.land` for what came under each claim; a Receipt or an error is its own answer.

        What goes wrong with one is its answer and keeps no other from landing. No file takes a step before its own
        step before is durable: killed anywhere, each of them is as if it had been landed alone.
        """
        ...


class Share(Protocol):
    """The destination file share of one environment, with its journal. The consumer may take a landed file at any moment.

    Safe from several threads, and for several collectors at once. Every call may raise ShareRefused (wrong or vanished
    mount, read-only, full), DiskFailed, IntegrityBroken (the journal is damaged) or TryAgain (a collector of the same
    name is at work). A receipt it gives follows from the journal alone: asked again, it is the same.
    """

    @property
    def collector(self) -> str:
        """Our name on it."""
        ...

    def landed(self, feed: str, occurrence: str, business_date: date) -> Receipt | None:
        """Give the newest revision of the slot that is journalled as landed: an older one must never follow it."""
        ...

    def landed_all(self, slots: Sequence[tuple[str, str, date]]) -> Sequence[Receipt | None]:
        """Do as `landed` for each feed, occurrence and business date, with one look at the journal of each date."""
        ...

    def claim(self, manifest: Manifest) -> AbstractContextManager[Claim]:
        """Take the exclusive right to deliver to the manifest's slot, and settle what a crash left there.

        Leaving gives the claim back; a part that did not land stays, for the next try.

        Raises:
            TryAgain: another live collector holds it.
            IntegrityBroken: the final name holds other bytes, or differs only in case from one that is there; or the
                journal was lost and nobody knows whether this file landed (see `answer`).
        """
        ...

    def claim_all(self, manifests: Sequence[Manifest]) -> AbstractContextManager[Claimed]:
        """Do as `claim` for several slots at once; of two manifests of one slot only the first gets a claim.

        Raises:
            IntegrityBroken: a journal is damaged.
        """
        ...

    def receipted(self, *receipts: Receipt) -> None:
        """Journal that the receipts were sent. Idempotent."""
        ...

    def unreceipted(self, since: date, days: Collection[date] = ()) -> list[Receipt]:
        """Give what landed for business dates from `since`, and for `days`, but whose receipt is not known to be sent, oldest first."""
        ...

    def restore(self, receipt: Receipt) -> None:
        """Put on the journal what a receipt on the server proves, after the journal was lost. Idempotent."""
        ...

    def answer(self, manifest: Manifest, *, deliver: bool) -> None:
        """Journal a person's answer for a file that is landed on neither account: deliver it, or it was delivered."""
        ...

    def tidy(self) -> None:
        """Remove what is left in our own folder of slots that landed, when nobody has a claim on them and it is a day old."""
        ...

    def close(self) -> None:
        """End this collector's session; the next call begins anew, with nothing remembered of a share that failed. Idempotent."""
        ...


class Holding(Protocol):
    """Where a mover of somebody else's (Control-M) puts released files: a folder a feed, each file under its released name.

    Nothing in it is believed: it is written by another account, perhaps at this moment. The mover's manifest under
    its own name says only that the mover is through. Safe from several threads, and for several hosts at once. Calls
    may raise ShareRefused (the feed's folder is not there: never made, or not mounted), DiskFailed, NotPermitted, or
    IntegrityBroken (something else is in the folder's place).
    """

    def prepare(self, feeds: Collection[str]) -> None:
        """Make the folders of `feeds`, on a person's word. Idempotent."""
        ...

    def feeds(self) -> list[str]:
        """Give the names of the folders that are there, sorted."""
        ...

    def names(self, feed: str) -> list[str]:
        """Give what lies in the feed's folder, sorted; a name that begins with `.` is the mover's own business."""
        ...

    def take(self, manifest: Manifest, into: Path, watch: Callable[[int], None] | None = None) -> Content:
        """Copy the file to `into`, out of everybody's reach, fsync it, and measure the copy; rows is 0.

        `into` is made anew. What is in holding is not changed; whatever happens to it from now on changes nothing.
        `watch` is told of every byte once.

        Raises:
            NotYet: it is not there, or too short or written just now while the mover is not through.
            IntegrityBroken: the mover is through, or has let it rest, and these are not the released bytes; or it is no
                plain file (a link, a folder, a pipe, a device).
            NotPermitted: this account may not read it.
            ShareRefused, DiskFailed: reading or writing failed; what was copied of it is of no use.
        """
        ...

    def where(self, manifest: Manifest) -> str:
        """Give the path at which the file is looked for, for the record."""
        ...

    def clear(self, manifest: Manifest) -> None:
        """Remove what landed: the very file that `take` copied, or one with the same bytes, and the mover's manifest.

        Anything else under those names stays, and so does what cannot be removed: `names` shows it.
        """
        ...


class Gate(Protocol):
    """Judges the bytes of one file against one contract. Narrow on purpose: a native kernel may take its place."""

    @property
    def text(self) -> str:
        """The contract it judges by, as it was written: the ledger keeps it beside the verdict."""
        ...

    def judge(self, path: Path, progress: Progress | None = None) -> GateReport:
        """Read the whole file at `path` once per half and report every rule with its count and the first defects.

        Memory is bounded whatever the size. The same bytes always give the same report.

        Raises:
            DiskFailed: the file cannot be read.
        """
        ...


class Signer(Protocol):
    """Signs evidence with one key. Any call may raise Unavailable or NotPermitted from where the key is kept."""

    @property
    def key_id(self) -> str:
        """Name of the key: sha256 (hex) of its public half in DER, SubjectPublicKeyInfo."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Give the signature: Ed25519 (RFC 8032), or ECDSA on P-256 over SHA-256 in DER."""
        ...


class Secrets(Protocol):
    """Resolves references to secrets at the moment they are used."""

    def resolve(self, reference: str) -> str:
        """Give the secret that `env:NAME`, `file:PATH` or `aws-sm:ID[#json-key]` refers to.

        Raises:
            UsageError: the variable or file is not there (names the reference, never a value).
            NotPermitted, Unavailable: from the secret's own store.
        """
        ...


class Teller(Protocol):
    """Somebody who brings a notice to people. Every call stands alone; nothing is remembered here."""

    name: str
    """Short, for the memory of what was told: `sns`, `mail`, `webhook`."""

    def tell(self, notice: Notice) -> None:
        """Return once somebody else answers for the notice: the topic, the relay or the receiver took it.

        One try. After an error it may all the same have arrived: readers must bear hearing a thing twice.

        Raises:
            Unavailable: no answer, or not now.
            NotPermitted: refused.
            UsageError: nobody is there who could take it.
        """
        ...


class Meter(Protocol):
    """A number that an alarm outside listens to; its silence is an alarm as well."""

    def measure(self, count: int) -> None:
        """Give how many slots are past their deadline and not delivered, now.

        Raises:
            Unavailable: no answer, or not now.
            NotPermitted: refused.
        """
        ...
