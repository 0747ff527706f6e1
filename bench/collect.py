"""How long does a whole collection take beside a bare download: manifests, claims, journal, fsyncs, renames, receipts?

From OpenSSH's server on this machine. `landbridge collect` hashes and fsyncs every file, lands it by the journal protocol
and sends a signed receipt for it; OpenSSH `sftp` writes the bytes and does nothing else (with `-f` it fsyncs them, too).

Must: wall at most 1.3 x OpenSSH `sftp`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.sftp import SMALL_FILES, SYNCED, Bench, make, measured, needs_server
from tests.servers.sftp import openssh_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.sftp import Took

RUNS = 3
PEERS = ("landbridge collect", "landbridge, the downloads", "OpenSSH sftp", SYNCED)


def main(_: Sequence[str] = ()) -> None:
    """Measure both tasks near, the peers in turn."""
    print(__doc__)
    needs_server()
    with tempfile.TemporaryDirectory(prefix="landbridge-bench-") as name:
        folder = Path(name)
        make(folder / "server")
        with openssh_server(folder / "server") as near:
            for task, what in (("small", f"{SMALL_FILES:,} x 16 KiB"), ("large", "1 GiB")):
                print(f"\n### {what}, near\n")
                print(_table(measured(Bench(folder, near, near.port, task), RUNS, PEERS)))


def _table(took: dict[str, Took]) -> str:
    ours = took["landbridge collect"]
    lines = ["| | wall s | CPU s of the client | collect's wall / its |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {one.wall:.2f} | {one.cpu:.2f} | {ours.wall / one.wall:.2f} |"
        for name, one in took.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
