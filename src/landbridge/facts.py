"""What does each step hand to the next?

Frozen facts without behaviour. A step consumes the fact that the step before it produced, so the type checker
refuses to promote what was not validated: Draft -> Staged -> Judged (Validated | Breached | Empty) -> Commitment -> Released -> Receipt.
All sizes are bytes, all instants are aware and in UTC, all sha256 are lower-case hex.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One expected delivery: feed x occurrence. Written `feed/occurrence`, for instance `flights/2026-11-20`."""

    feed: str
    occurrence: str
    """The business date (`2026-11-20`) of a daily or rarer feed, the UTC instant (`20261120T1000Z`) of a more frequent one."""
    business_date: date
    scheduled_at: datetime
    deadline: datetime | None = None
    """When the file must be on the share."""

    def __str__(self) -> str:
        """Give the name the operator types."""
        return f"{self.feed}/{self.occurrence}"


@dataclass(frozen=True, slots=True)
class Content:
    """What a file is, wherever it lies."""

    size: int
    sha256: str
    rows: int
    """Data rows, without header, leading and trailing records."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where bytes lie: a store's own name (`s3://bucket` or `file:///folder`), the whole key in it, and the version if the store has one."""

    store: str
    key: str
    version: str = ""
    etag: str = ""

    def __str__(self) -> str:
        """Give the URL a person can read."""
        return f"{self.store}/{self.key}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a store says of an object when it is asked."""

    at: Location
    size: int
    sha256: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class SourceFact:
    """What one source gave to a draft."""

    name: str
    kind: str
    query: str
    """Where it was asked, without secrets: the URL, the SQL, the path."""
    parameters: Mapping[str, str]
    rows: int
    began_at: datetime
    ended_at: datetime
    sha256: str = ""
    """Digest of the Arrow batches as they came (of the lines, where the source wrote those); empty where it cannot give one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Bytes generated into a scratch file on this machine; nothing outside knows of them yet."""

    slot: Slot
    path: Path
    content: Content
    sources: tuple[SourceFact, ...] = ()
    totals: Mapping[str, str] = field(default_factory=dict)
    """Control totals by column, exact decimals as text."""


@dataclass(frozen=True, slots=True)
class Staged:
    """The draft's bytes are in the staging store under a name that contains their sha256; the server verified the checksum."""

    slot: Slot
    content: Content
    at: Location
    sources: tuple[SourceFact, ...] = ()


@dataclass(frozen=True, slots=True)
class Defect:
    """One place where the bytes break a rule. Records count data records from 1 (the header is record 0), lines from 1."""

    rule: str
    record: int
    line: int
    """Physical line on which the record starts; 0 where the format has no lines."""
    offset: int
    """Byte offset of the defect in the decompressed file, -1 where the format has none."""
    column: str
    message: str
    value: str = ""
    """The offending text, shortened to 80 characters; `***` for a column classified as personal."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """How one rule of the contract ended."""

    rule: str
    column: str
    passed: bool
    checked: int
    """Rows looked at."""
    broken: int
    """Rows (or, for a rule about the whole file, 1) that broke it."""
    threshold: str
    """The bound in words: `= 0`, `< 1 %`, `between 1 and 500`."""
    severity: Literal["error", "warning"] = "error"
    message: str = ""


@dataclass(frozen=True, slots=True)
class GateReport:
    """What a gate saw in one file: every rule with its count, and the first defects."""

    contract: str
    contract_version: str
    rows: int
    rules: tuple[RuleResult, ...]
    defects: tuple[Defect, ...]

    @property
    def passed(self) -> bool:
        """True when no rule of severity `error` is broken."""
        return all(rule.passed or rule.severity == "warning" for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Validated:
    """The *staged* bytes were read back and met the contract."""

    staged: Staged
    report: GateReport


@dataclass(frozen=True, slots=True)
class Breached:
    """The staged bytes broke the contract."""

    staged: Staged
    report: GateReport


@dataclass(frozen=True, slots=True)
class Empty:
    """The file has no rows and the feed says that such a slot is skipped."""

    staged: Staged
    report: GateReport


Judged = Validated | Breached | Empty


@dataclass(frozen=True, slots=True)
class Sealed:
    """A validated file that was encrypted once; its ciphertext is staged and is what will be released."""

    validated: Validated
    ciphertext: Staged
    recipients: tuple[str, ...]
    """Fingerprints of the keys it was encrypted to."""


class Verdict(StrEnum):
    """What the commit of a revision says. The first three come of a run, the last two of a person alone."""

    RELEASE = "release"
    """Also of bytes that broke their contract, when a person says so: then the report is that of the breach."""
    QUARANTINE = "quarantine"
    SKIP = "skip"
    REJECT = "reject"
    """Of quarantined bytes: they are never released."""
    WAIVE = "waive"
    """No file of the slot will come, and none is needed: there are no bytes, so what speaks of bytes is `NO_FILE` and the like."""


OWES_NOTHING = frozenset({Verdict.SKIP, Verdict.WAIVE})
"""Verdicts of which no file comes, and none is needed."""

NO_FILE = Content(size=0, sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", rows=0)
"""The content of a waiver: that of nothing."""
NOWHERE = Location(store="", key="")
"""Where the bytes of a waiver lie."""
NO_REPORT = GateReport(contract="", contract_version="", rows=0, rules=(), defects=())
"""What was judged for a waiver."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a revision goes, decided before anything runs."""

    key: str
    """Whole key in the reports store: folder and final name."""
    landed_name: str
    """Name on the share."""
    done_name: str = ""
    """Name of the consumer's done-file beside it, empty for none."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """The one durable decision about a revision of a slot, as the ledger holds it. Written once, never edited."""

    slot: Slot
    revision: int
    verdict: Verdict
    environment: str
    plain: Content
    """What was validated."""
    delivered: Content
    """What travels: equal to `plain` unless the feed encrypts."""
    staged: Location
    """Where the bytes that travel lie in staging."""
    target: Target
    report: GateReport
    sources: tuple[SourceFact, ...]
    run_id: str
    actor: str
    committed_at: datetime
    plan: str
    """Digest of the plan that was applied."""
    reason: str = ""
    recipients: tuple[str, ...] = ()
    contract: str = ""
    """sha256 of the contract's text, which the ledger keeps; empty in entries of before it did, and where nothing was judged."""
    previous: str = ""
    """sha256 of the ledger's entry for the revision before, which chains the revisions; empty for the first."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What the release of a revision left in the reports store, as the ledger holds it. Written once, after the manifest."""

    slot: Slot
    revision: int
    environment: str
    at: Location
    """Key, version and ETag under the final name."""
    content: Content
    manifest: Location
    manifest_sha256: str
    copies: tuple[Location, ...]
    """Further declared places that hold the same bytes."""
    run_id: str
    actor: str
    promoted_at: datetime
    commitment: str
    """sha256 of the ledger's commitment."""


@dataclass(frozen=True, slots=True)
class Released:
    """The bytes are in the reports store under their final name, and the manifest is written."""

    commitment: Commitment
    at: Location
    manifest: Location
    copies: tuple[Location, ...] = ()
    """Further declared places that hold the same bytes."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the on-prem side knows of a released file: everything it needs to verify and land it, nothing more."""

    feed: str
    occurrence: str
    business_date: date
    revision: int
    environment: str
    remote_path: str
    """Path below the SFTP home, `/outbound/eidv/NAME`."""
    landed_name: str
    done_name: str
    size: int
    sha256: str
    rows: int
    committed_at: datetime
    deadline: datetime | None
    commitment: str
    """sha256 of the ledger's commitment, which chains the receipt to it."""


@dataclass(frozen=True, slots=True)
class Absence:
    """What the on-prem side knows of a slot that owes no file: it is on record as skipped or waived.

    The one of a later revision that broke its contract takes it back: then the slot owes a file again. A manifest undoes it.
    """

    feed: str
    occurrence: str
    business_date: date
    revision: int
    environment: str
    verdict: Literal[Verdict.SKIP, Verdict.WAIVE, Verdict.QUARANTINE, Verdict.REJECT]
    """The last two are only ever there to take back what an earlier revision says."""
    committed_at: datetime
    commitment: str
    """sha256 of the ledger's commitment, as in a manifest."""


@dataclass(frozen=True, slots=True)
class Server:
    """An SFTP server that let us in, and who we are there."""

    host: str
    port: int
    host_key: str
    """Fingerprint of the key that it showed, `SHA256:...` as ssh-keygen prints it."""
    account: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of a file over SFTP."""

    content: Content
    """Of the whole part, what was there before included: read again, and hashed; rows is 0."""
    server: Server
    """As it answered last."""
    attempts: int
    """How often it was asked for: each cut of the line is one more."""


@dataclass(frozen=True, slots=True)
class Download:
    """The bytes of a released file came over SFTP into a part on the share's volume, and have this sha256 there."""

    server: Server
    remote_path: str
    resumed_from: int
    """Bytes that an earlier try had left, and that were not asked for again."""
    size: int
    sha256: str
    attempts: int
    began_at: datetime
    ended_at: datetime
    collector: str
    commitment: str
    """sha256 of the ledger's commitment that the file is of, as its manifest says."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The bytes of a released file were copied out of holding, where another mover had put them: its download nobody saw."""

    holding: str
    """Path on the collector's host."""
    size: int
    sha256: str
    began_at: datetime
    ended_at: datetime
    collector: str
    commitment: str
    """As for a download."""


Brought = Download | Taken
"""How bytes came to the share's volume."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The share holds (or held, before the consumer took them) bytes with this sha256, landed once."""

    feed: str
    occurrence: str
    business_date: date
    revision: int
    environment: str
    size: int
    sha256: str
    landed_path: str
    landed_at: datetime
    collector: str
    commitment: str
    brought: Brought | None = None
    """None where nobody knows: the file was there already, a person says so, or the receipt is of before this was kept."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A staged file that waits for its verdict: what a run that stops after `generate` leaves for the next one."""

    staged: Staged
    run_id: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt on a slot that failed: before its verdict, or before what was decided was released or told. It decides nothing."""

    slot: Slot
    revision: int
    """The one that was to be made, or carried on."""
    environment: str
    step: Literal["generate", "validate", "promote", "tell"]
    exit: int
    """Exit code, as in errors.Exit."""
    reason: str
    """One line: what happened. No secret, and nothing of the data."""
    run_id: str
    actor: str
    failed_at: datetime


class SlotState(StrEnum):
    """Where a slot stands. The last five are ends."""

    UPCOMING = "upcoming"
    DUE = "due"
    COMMITTED = "committed"
    RELEASED = "released"
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"
    WAIVED = "waived"
    MISSING = "missing"
