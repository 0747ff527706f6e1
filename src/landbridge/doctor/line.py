"""Does the SFTP side show the pinned key, let us in, show what is released, take receipts, and nothing else?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.doctor.clocks import TRACE, TRACES, trace
from landbridge.doctor.finding import broken, ok, skipped, warn
from landbridge.doctor.permissions import PROBE
from landbridge.errors import Exit, NotPermitted, Unavailable
from landbridge.naming import MANIFESTS, OUTBOUND, RECEIPTS
from landbridge.sftp import keys as ssh_keys
from landbridge.sftp.door import SftpDoor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.doctor.finding import Finding
    from landbridge.doctor.patient import Patient

_OWN = {OUTBOUND, RECEIPTS}


def host_key(patient: Patient) -> Iterator[Finding]:
    """See that the server answers and shows a host key that is pinned, and that every pinned one is shown."""
    endpoint = patient.endpoint()
    pinned = ssh_keys.read(endpoint).pinned
    door = SftpDoor(endpoint.host, endpoint.port, endpoint.user, lambda: endpoint.host_keys)
    shown = {key.line: door.shown(key.line.partition(" ")[0]) for key in pinned}
    bare = {" ".join(line.split()[:2]) for line in shown.values() if line}
    held = [key for key in pinned if key.line in bare]
    gone = [key.fingerprint for key in pinned if key.line not in bare]
    server = f"{endpoint.host}:{endpoint.port}"
    if not held and bare:
        seen = f"{server} shows another key than the pinned {', '.join(gone)}"
        yield broken("", seen, Exit.INTEGRITY)
    elif not held:
        seen = f"{server} shows no key of the kinds that are pinned: {', '.join(gone)}"
        yield broken("", seen, Exit.INTEGRITY)
    elif gone:
        yield warn("", f"{server} does not show the pinned {', '.join(gone)} (any more)")
    else:
        yield ok("", f"{server} shows {', '.join(key.fingerprint for key in held)}")


def log_in(patient: Patient) -> Iterator[Finding]:
    """See that the key opens the door, and that nothing is in the home but our two folders."""
    there = patient.remote().folders("/")
    files = [one.name for one in patient.remote().files("/")]
    own = _OWN | ({".uploads"} if patient.twin else set())  # where the twin's S3 server keeps parts
    strange = [name for name in (*there, *files) if name not in own]
    lacking = sorted(_OWN - set(there))
    if strange:
        seen = f"beside {' and '.join(sorted(_OWN))} the user sees {', '.join(map(repr, strange[:5]))}"
        yield broken("", seen, Exit.PERMISSION)
    elif lacking:
        yield broken("", f"the home has no {' and no '.join(lacking)}", Exit.DECLARATION)
    else:
        yield ok("", f"as {patient.endpoint()}; the home has {' and '.join(sorted(_OWN))} only")


def outbound(patient: Patient) -> Iterator[Finding]:
    """See that what is released can be listed and read, and not written."""
    remote = patient.remote()
    days = remote.folders(f"/{MANIFESTS}")
    yield ok("list", f"{counted(len(days), 'day')} with manifests")
    newest = next((one for day in reversed(days) for one in remote.files(f"/{MANIFESTS}/{day}")), None)
    if newest is None:
        yield skipped("read", "nothing is released yet; `landbridge canary` shows it")
    else:
        remote.read(newest.path)
        yield ok("read", newest.path)
    try:
        remote.write(f"/{OUTBOUND}/{PROBE}", b"")
    except NotPermitted:
        yield ok("write", "refused")
    except Unavailable as error:  # servers word a refusal in more than one way
        remote.folders("/")  # the line is not what failed
        yield ok("write", f"refused: {error.seen or error.what}")
    else:
        seen = f"the user could write /{OUTBOUND}/{PROBE}: remove it, and take the right away"
        yield broken("write", seen, Exit.PERMISSION)


def receipts(patient: Patient) -> Iterator[Finding]:
    """See that receipts can be written, read and listed: always the same small file, which the bucket forgets."""
    remote, body = patient.remote(), trace(patient)
    path = f"{TRACES}/{TRACE}"
    remote.write(path, body)
    if remote.read(path) != body:
        seen = f"{path} reads otherwise than it was written"
        yield broken("", seen, Exit.INTEGRITY)
        return
    remote.files(TRACES)
    yield ok("", f"written and read back: {path}")
