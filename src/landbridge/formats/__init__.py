"""How are rows made into the bytes of a file: CSV, fixed width, JSON lines, Parquet; compressed; encrypted?"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from landbridge.feed.outputs import File

_COMPRESSED = {"none": "", "gzip": ".gz", "zstd": ".zst"}


def suffix(file: File) -> str:
    """Give the usual ending of the plain file's name: `.csv`, `.csv.gz`, `.txt`, `.jsonl.zst`, `.parquet`."""
    match file.format.kind:
        case "csv" | "jsonl" | "parquet" as kind:
            ending = f".{kind}"
        case "fixed":
            ending = ".txt"
        case _:
            assert_never(file.format.kind)
    return ending + _COMPRESSED[file.compression]
