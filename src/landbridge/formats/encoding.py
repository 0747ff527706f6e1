"""How do lines become bytes in the declared encoding?"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from landbridge.errors import ContractBroken, UsageError
from landbridge.formats import lexical
from landbridge.formats.breach import Place

if TYPE_CHECKING:
    from landbridge.feed.outputs import Encoding

_LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}
_TWO_BYTES = ("utf-16-le", "utf-16-be")


class Page:
    """Turns lines into bytes. `utf-8-sig` begins with a byte order mark, no other encoding does."""

    def __init__(self, encoding: Encoding = "utf-8", line_end: str = "lf") -> None:
        self._encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        self._line_end = _LINE_ENDS[line_end]
        self._end = self._line_end.encode(self._encoding)
        self.mark = codecs.BOM_UTF8 if encoding == "utf-8-sig" else b""

    def line(self, text: str) -> bytes:
        """Give one line of a header, leading or trailing record, with its line end.

        Raises:
            UsageError: it holds a character that the encoding does not have.
        """
        try:
            return text.encode(self._encoding) + self._end
        except UnicodeEncodeError as error:
            raise UsageError(
                f"a header, leading or trailing record holds {error.object[error.start]!r},"
                f" which {self._encoding} does not have"
            ) from error

    def lines(self, lines: pa.StringArray, batch: pa.RecordBatch, before: int) -> list[memoryview | bytes]:
        """Give the bytes of a batch's lines, each with its line end; `batch` and `before` are for the error.

        Raises:
            ContractBroken: a value holds a character that the encoding does not have.
        """
        together = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), self._line_end)
        try:
            return [self.encoded(memoryview(together[0].as_buffer())), self._end]
        except UnicodeEncodeError as error:
            raise self._broken(batch, before) from error

    def encoded(self, content: memoryview) -> memoryview | bytes:
        """Turn UTF-8 into the declared encoding.

        Raises:
            UnicodeEncodeError: a character that it does not have.
        """
        if self._encoding == "utf-8":
            return content
        text = bytes(content)
        if text.isascii() and self._encoding not in _TWO_BYTES:
            return text
        return text.decode().encode(self._encoding)

    def _broken(self, batch: pa.RecordBatch, before: int) -> ContractBroken:
        found: list[tuple[int, str]] = []
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            texts = lexical.texts(values, Place(name, before)).to_pylist()
            odd = (index for index, text in enumerate(texts) if text and not self._has(text))
            found += [(index, name) for index in odd][:1]
        what = f"holds a character that {self._encoding} does not have"
        if not found:
            return ContractBroken(f"the null text, a quote or a fill {what}")
        index, name = min(found)
        return Place(name, before).broken(
            index, what, hint="declare `encoding: utf-8`, or replace it in `transform`"
        )

    def _has(self, text: str) -> bool:
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True
