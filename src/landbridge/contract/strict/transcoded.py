"""How is a file judged whose ASCII characters are not one byte, or whose delimiter or quote is more than one?

It is put into UTF-8 in a scratch file, with stand-ins of one byte for such a delimiter and quote, judged there, and
every offset is led back to the file itself. Bytes that are no text stay no text, so that they are still found.
"""

from __future__ import annotations

import codecs
import shutil
import tempfile
from bisect import bisect_right
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.contract.strict.window import Window
from landbridge.errors import DiskFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landbridge.contract.columns import StrictReport
    from landbridge.contract.strict.scan import RecordGate
    from landbridge.feed.outputs import Csv
    from landbridge.ports import Progress

_STAND_INS = ("\x1c", "\x1d")
_ASIDE = ("\ufdd0", "\ufdd1")
"""Noncharacters, which take the place of stand-ins that the text itself holds."""


def needs_transcoding(csv: Csv) -> bool:
    """Tell whether a CSV file must be transcoded before it can be judged.

    Raises:
        UsageError: its delimiter or quote does not exist in its encoding.
    """
    try:
        lengths = [len(c.encode(csv.encoding.removesuffix("-sig"))) for c in (csv.delimiter, csv.quote)]
    except UnicodeEncodeError as error:
        raise UsageError(f"{csv.encoding} has no character `{error.object}`") from error
    return max(lengths) > 1


def stand_ins(csv: Csv) -> tuple[Csv, dict[str, str]]:
    """Give the declaration of the transcoded file, and which characters stand for which."""
    update = {"encoding": "utf-8"}
    swaps: dict[str, str] = {}
    for part, stand_in, aside in zip(("delimiter", "quote"), _STAND_INS, _ASIDE, strict=True):
        character = getattr(csv, part)
        if not character.isascii():
            swaps |= {character: stand_in, stand_in: aside}
            update[part] = stand_in
    return csv.model_copy(update=update), swaps


@dataclass(frozen=True, slots=True)
class TranscodedGate:
    """A gate that judges the UTF-8 twin of a file. The twin lies in a folder below `scratch` while it is needed."""

    inner: RecordGate
    encoding: str
    swaps: Mapping[str, str]
    scratch: Path | None = None

    def scan(self, path: Path, progress: Progress | None = None) -> StrictReport:
        """See `StrictGate`; takes disk for the twin."""
        with self._twin(path) as twin:
            report = self.inner.scan(twin.path, progress)
            return replace(
                report,
                first=tuple(replace(d, offset=twin.original(d.offset)) for d in report.first),
                data=(twin.original(report.data[0]), twin.original(report.data[1])),
                locate=partial(self._locate, path, report),
            )

    def _locate(self, path: Path, report: StrictReport, records: Sequence[int]) -> list[tuple[int, int]]:
        with self._twin(path) as twin:
            return [
                (line, twin.original(offset))
                for line, offset in self.inner.located(report, twin.path, records)
            ]

    @contextmanager
    def _twin(self, path: Path) -> Iterator[_Twin]:
        try:
            folder = Path(tempfile.mkdtemp(dir=self.scratch, prefix="utf8-"))
            try:
                twin = _Twin(folder / "text", self.encoding, self.swaps)
                with Window(path) as window:
                    twin.write(window)
                yield twin
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError as error:
            raise DiskFailed("a scratch file cannot be written", seen=error.strerror or str(error)) from error


class _Twin:
    """The UTF-8 twin of one file, and the way back from its offsets."""

    def __init__(self, path: Path, encoding: str, swaps: Mapping[str, str]) -> None:
        self.path = path
        self._encoding = encoding
        self._errors = "surrogatepass" if encoding.startswith("utf-16") else "surrogateescape"
        self._swap = str.maketrans(dict(swaps))
        self._back = str.maketrans({twin: original for original, twin in swaps.items()})
        self._starts = [(0, 0)]
        """Where each piece starts: in the twin, in the file."""

    def write(self, window: Window) -> None:
        decoder = codecs.getincrementaldecoder(self._encoding)(self._errors)
        with self.path.open("xb") as into:
            at = 0
            for piece in window.pieces(0, window.size):
                text = decoder.decode(piece).translate(self._swap)
                into.write(text.encode("utf-8", self._errors))
                at += len(piece)
                self._starts.append((into.tell(), at - len(decoder.getstate()[0])))
            if decoder.getstate()[0]:
                into.write(b"\xff")  # half a character: no text
                self._starts.append((into.tell(), window.size))

    def original(self, offset: int) -> int:
        """Give the offset in the file for an offset in the twin."""
        if offset < 0:
            return offset
        twin, original = self._starts[bisect_right(self._starts, (offset, 1 << 62)) - 1]
        with self.path.open("rb") as source:
            source.seek(twin)
            text = source.read(offset - twin).decode("utf-8", self._errors)
        return original + len(text.translate(self._back).encode(self._encoding, self._errors))
