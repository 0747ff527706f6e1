"""What can go wrong at a call of a port? A literal table; any fault can befall any call that it names."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from landbridge.errors import ContractBroken, DiskFailed, IntegrityBroken, NotPermitted, Unavailable
from reliability.memory_s3 import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.actors import Actor
    from reliability.through import Call

_WRITES = frozenset({"put", "copy", "end_upload"})
_NAMES = frozenset({"rename", "rename_new", "link", "unlink", "open"})
_GROWS = frozenset({"open", "write", "mkdir", "link", "rename", "rename_new"})
_CHANGES = _GROWS | {"unlink", "utime", "chmod", "ftruncate", "lock"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong."""

    name: str
    port: str
    act: Callable[[Actor, Call, Callable[..., Any]], Any]
    """Gets the caller, the call and what makes it (with other arguments, if any are given)."""
    operations: frozenset[str] = frozenset()
    """Calls it can befall; empty for all of the port's."""

    def befalls(self, call: Call) -> bool:
        """Tell whether it can happen at this call."""
        return call.port == self.port and (not self.operations or call.operation in self.operations)


def _raises(error: Callable[[], Exception]) -> Callable[[Actor, Call, Callable[..., Any]], Any]:
    """Fail before the call has any effect; but a file that cannot be closed is closed all the same (close(2), Linux)."""

    def act(_actor: Actor, call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # whatever the call gives
        if call.operation == "close":
            make()
        raise error()

    return act


def _raises_after(error: Callable[[], Exception]) -> Callable[[Actor, Call, Callable[..., Any]], Any]:
    """Fail after the effect took place: the answer is lost."""

    def act(_actor: Actor, _call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # as above
        make()
        raise error()

    return act


def _os(number: int) -> Callable[[], OSError]:
    return lambda: OSError(number, os.strerror(number))


def _truncated(_actor: Actor, _call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # as above
    kept, body = make()
    return kept, body[: len(body) // 2]


def _slow(actor: Actor, _call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # as above
    given = make()
    actor.sleep(300.0)
    return given


def _short_read(_actor: Actor, _call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # as above
    body = make()
    return body[: max(1, len(body) // 2)]


def _half_a_receipt(_actor: Actor, call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # as above
    path, body = call.arguments
    make(path, body[: len(body) // 2])
    raise Unavailable("the line was cut")


def _half_written(_actor: Actor, call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # as above
    file, piece = call.arguments
    make(file, bytes(piece)[: len(piece) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _short_write(_actor: Actor, call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # as above
    file, piece = call.arguments
    return make(file, bytes(piece)[: max(1, len(piece) // 2)])


def _jumps(seconds: float) -> Callable[[Actor, Call, Callable[..., Any]], Any]:
    def act(actor: Actor, _call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # as above
        actor.skew += seconds
        return make()

    return act


FAULTS = (
    Fault("503", "s3", _raises(lambda: Answer(503, "SlowDown"))),
    Fault("503 after the effect", "s3", _raises_after(lambda: Answer(503, "SlowDown"))),
    Fault("connection reset", "s3", _raises(lambda: Answer(0))),
    Fault("connection reset after the effect", "s3", _raises_after(lambda: Answer(0))),
    Fault("409", "s3", _raises(lambda: Answer(409, "ConditionalRequestConflict")), _WRITES),
    Fault("412", "s3", _raises(lambda: Answer(412, "PreconditionFailed")), _WRITES),
    Fault("403", "s3", _raises(lambda: Answer(403, "AccessDenied"))),
    Fault("truncated body", "s3", _truncated, frozenset({"get"})),
    Fault("slow answer", "s3", _slow),
    Fault("cut", "sftp", _raises(lambda: Unavailable("the line was cut"))),
    Fault("cut after the effect", "sftp", _raises_after(lambda: Unavailable("the line was cut"))),
    Fault("cut in the middle of a receipt", "sftp", _half_a_receipt, frozenset({"write"})),
    Fault("short read", "sftp", _short_read, frozenset({"read"})),
    Fault("host key changed", "sftp", _raises(lambda: IntegrityBroken("the host key is another one"))),
    Fault("permission lost", "sftp", _raises(lambda: NotPermitted("refused"))),
    Fault("slow answer", "sftp", _slow),
    Fault("ENOSPC", "disk", _raises(_os(errno.ENOSPC)), _GROWS),
    Fault("ENOSPC, half written", "disk", _half_written, frozenset({"write"})),
    Fault("short write", "disk", _short_write, frozenset({"write"})),
    Fault("EIO", "disk", _raises(_os(errno.EIO))),
    Fault("EIO after the effect", "disk", _raises_after(_os(errno.EIO))),
    Fault("read-only", "disk", _raises(_os(errno.EROFS)), _CHANGES),
    Fault("sharing violation, refused rename", "disk", _raises(_os(errno.EACCES)), _NAMES),
    Fault("mount vanished", "disk", _raises(_os(errno.ESTALE))),
    Fault("host of a mount away, path gone", "disk", _raises(_os(errno.ENOENT))),
    Fault("clock jumps ahead", "clock", _jumps(600.0)),
    Fault("clock jumps back", "clock", _jumps(-600.0)),
    Fault("away", "source", _raises(lambda: Unavailable("no answer"))),
    Fault("refused", "source", _raises(lambda: NotPermitted("refused"))),
    Fault("something else", "source", _raises(lambda: ContractBroken("a page without records"))),
    Fault("local disk full", "gate", _raises(lambda: DiskFailed("full"))),
)


@dataclass(slots=True)
class Nth:
    """Lets a fault befall the Nth call that it can befall, and no other; obeys world.Meddling."""

    fault: Fault
    number: int
    fired: str = ""
    """The call it befell."""
    _seen: int = field(default=0)

    def __call__(self, actor: Actor, call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # as above
        """Make the call, or the fault."""
        if not self.fault.befalls(call):
            return make()
        self._seen += 1
        if self._seen != self.number:
            return make()
        self.fired = f"{actor.name} {call.name}"
        return self.fault.act(actor, call, make)
