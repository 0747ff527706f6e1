"""What file does a feed make, as declared: format, compression, encryption, names, places?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from landbridge.feed.words import Column, Declared, Name, Resolvable, SecretReference, Template, Text

Encoding = Literal[
    "utf-8", "utf-8-sig", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16-le", "utf-16-be"
]


class Record(Declared):
    """A leading or trailing record: its fields, in order.

    A field is literal text, or holds `{rows}` (data rows), `{records}` (with leading and trailing ones),
    `{total:COLUMN}` (exact sum), `{business_date:%Y%m%d}`, `{scheduled_at:...}`, `{feed}`, `{ENVIRONMENT}`, `{revision:03d}`.
    """

    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    """In order."""


class Csv(Declared):
    """Delimited text (RFC 4180 and its relatives)."""

    kind: Literal["csv"] = "csv"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    """Between two fields."""
    quote: Annotated[str, StringConstraints(min_length=1, max_length=1)] = '"'
    """Around a field; written twice inside."""
    quoting: Literal["minimal", "all", "strings", "none"] = "minimal"
    """Which fields are quoted: those that need it, all, texts, or none (then a value that needs it is a breach)."""
    line_end: Literal["lf", "crlf"] = "lf"
    """After each record."""
    encoding: Encoding = "utf-8"
    """A character that it has not is a breach."""
    header: bool = True
    """Whether the names of the columns come first."""
    null: str = ""
    """Text of a missing value; never quoted, so that an empty string (quoted) stays apart from it."""
    leading: Record | None = None
    """A record before the header."""
    trailing: Record | None = None
    """A record after the data."""


class FixedColumn(Declared):
    """One column of a fixed-width record."""

    width: Annotated[int, Field(ge=1, le=10_000)]
    """Characters."""
    align: Literal["left", "right"] = "left"
    """Where the value stands."""
    fill: Annotated[str, StringConstraints(min_length=1, max_length=1)] = " "
    """The character beside it."""


class Fixed(Declared):
    """Fixed-width text. A value longer than its column is a breach, never cut."""

    kind: Literal["fixed"]
    columns: Annotated[dict[Column, FixedColumn], Field(min_length=1)]
    """Those of the contract, in order."""
    line_end: Literal["lf", "crlf"] = "lf"
    """After each record."""
    encoding: Encoding = "utf-8"
    """A character that it has not is a breach."""
    header: bool = False
    """Whether the names of the columns come first."""
    leading: Record | None = None
    """A record before the header."""
    trailing: Record | None = None
    """A record after the data."""


class Jsonl(Declared):
    """One JSON object a line (UTF-8)."""

    kind: Literal["jsonl"]


class Parquet(Declared):
    """Apache Parquet."""

    kind: Literal["parquet"]
    codec: Literal["zstd", "snappy", "gzip", "none"] = "zstd"
    """Compression inside the file."""
    row_group_rows: Annotated[int, Field(ge=1, le=10_000_000)] = 122_880
    """Rows of a row group."""


Format = Annotated[Csv | Fixed | Jsonl | Parquet, Field(discriminator="kind")]


class Encryption(Declared):
    """OpenPGP (RFC 9580) to one or more recipients; encrypted once, before the commit."""

    recipients: Annotated[tuple[SecretReference, ...], Field(min_length=1)]
    """References to armoured public keys: `file:keys/consumer.asc`."""
    armour: bool = False
    """Text instead of bytes."""


class StorePlace(Declared):
    """A further bucket (or prefix) that gets the same bytes under the same promise."""

    kind: Literal["s3"]
    name: Name
    """Of the place, for the record."""
    bucket: Template
    """Which bucket."""
    prefix: Template | None = None
    """Before the file's folder and name."""


class FolderPlace(Declared):
    """A further folder, on this machine or mounted."""

    kind: Literal["folder"]
    name: Name
    """Of the place, for the record."""
    path: Resolvable
    """Which folder."""


Place = Annotated[StorePlace | FolderPlace, Field(discriminator="kind")]


class File(Declared):
    """The file a feed makes and what it is called on its way."""

    name: Template
    """Final name in the reports bucket: `eIDVAPPSTORE_EDBH_{ENVIRONMENT}_VERIFICATIONS_{business_date:%Y%m%d}_{revision:03d}.csv`."""
    folder: Template
    """Folder below `outbound/` in the reports bucket; may use the same words."""
    landed_name: Template | None = None
    """Name on the share, where the consumer dictates another one."""
    landed_folder: Template | None = None
    """Folder below the share's root; the root without it."""
    done_file: Template | None = None
    """Name of an empty file put beside the landed one when it is complete; `{name}` is the landed name."""
    format: Format = Csv()
    """What its records look like."""
    compression: Literal["none", "gzip", "zstd"] = "none"
    """Of the whole file."""
    encryption: Encryption | None = None
    """After compression."""
    formula_injection: Literal["reject", "escape", "allow"] = "reject"
    """A text value that a spreadsheet would run (starts with = + - @ tab or CR): refuse it, put a ' before it, or let it pass."""
    also_to: tuple[Place, ...] = ()
    """Further places that keep the file."""

    @model_validator(mode="after")
    def _places_have_their_own_names(self) -> File:
        names = [place.name for place in self.also_to]
        if len(names) != len(set(names)):
            message = "expected a different `name` for each place in `also_to`"
            raise ValueError(message)
        return self


class ContractReference(Declared):
    """The Open Data Contract Standard document that the file must meet."""

    file: Text
    """Path from the project's folder: `contracts/verifications.odcs.yaml`."""
    schema_object: Text | None = None
    """Name of the object in its `schema`; needed when it holds several."""
