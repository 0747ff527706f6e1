"""Do the commands of the page on landing let the mover in, and nowhere else, whatever the umask of who prepared it?"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from landbridge.share.folder import FolderShare
from landbridge.share.holding import HoldingFolder, usual_place
from landbridge.wiring.clock import SystemClock

PAGE = (Path(__file__).parents[2] / "docs" / "land.md").read_text(encoding="utf-8")
_COMMANDS = re.findall(r"^\$ (ch(?:grp|mod) .*?)(?: +#.*)?$", PAGE, re.MULTILINE)
_MOVERS = 54321
"""The common group; of the mover nothing else is common."""
_PASS, _READ_AND_WRITE = 0o1, 0o6


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() != 0, reason="changes a file's group")
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_the_mover_reaches_its_folder_and_no_other(tmp_path: Path, umask: int) -> None:
    share = tmp_path / "edbh"
    share.mkdir()
    share.chmod(0o755)
    before = os.umask(umask)
    try:
        FolderShare(share, "PRD", "edge1", SystemClock()).adopt()
        HoldingFolder(usual_place(share, "PRD"), share, SystemClock()).prepare(["flights"])
    finally:
        os.umask(before)
    assert len(_COMMANDS) == 3
    for command in _COMMANDS:
        here = command.replace("/mnt/edbh", str(share)).replace("chgrp -R transfer", f"chgrp -R {_MOVERS}")
        subprocess.run(["sh", "-c", here], check=True)
    private = usual_place(share, "PRD").parent
    for folder in (private.parent, private, private / "holding"):
        assert _mover_may(folder) & _PASS, folder
        assert not _mover_may(folder) & 0o2, folder
    assert _mover_may(private / "holding" / "flights") == _PASS | _READ_AND_WRITE
    assert not (private / "holding" / "flights").stat().st_mode & stat.S_ISVTX


def _mover_may(folder: Path) -> int:
    """Give the bits that an account has which is only in the common group."""
    state = folder.stat()
    return (state.st_mode >> 3 if state.st_gid == _MOVERS else state.st_mode) & 0o7
