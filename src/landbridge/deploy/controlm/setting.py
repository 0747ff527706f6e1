"""What do all jobs of an environment have in common: names, hosts, paths, limits?"""

from __future__ import annotations

import hashlib
import shlex
import subprocess  # nosec B404 - its quoting only; nothing is started
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from landbridge.deploy.hosts.installed import installed
from landbridge.errors import UsageError

if TYPE_CHECKING:
    from landbridge.controlm import ControlM
    from landbridge.deploy.hosts.installed import Installed
    from landbridge.project import Place

LONGEST_NAME = 64
"""Of jobs, folders and connection profiles."""
LONGEST_CALENDAR = 30
"""Of regular calendars. Source: BMC, "Calendars"."""
_DIGEST = 6


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment, with every name that Control-M sees."""

    where: Place
    declared: ControlM
    installed: Installed

    @property
    def folder(self) -> str:
        """Name of the folder in the server's own time zone; the others begin with it."""
        own = f"{self.where.project}_{self.where.environment}".upper().replace("-", "_")
        return self.declared.folder or own

    @property
    def application(self) -> str:
        """Application of all jobs."""
        return self.declared.application or self.where.project.upper()

    @property
    def sub_application(self) -> str:
        """Sub-application of all jobs."""
        return self.declared.sub_application or self.where.environment

    @property
    def source(self) -> str:
        """Name of the SFTP profile."""
        return self.declared.source_profile or f"{self.folder}_SFTP"

    @property
    def destination(self) -> str:
        """Name of the share's profile."""
        return self.declared.destination_profile or f"{self.folder}_SHARE"

    @property
    def pool(self) -> str:
        """Name of the resource pool of SFTP sessions."""
        return self.declared.pool or f"{self.folder}_SESSIONS"

    @property
    def mail(self) -> str:
        """Everybody who is told, as Control-M separates them."""
        return ";".join(self.declared.mail)

    def command(self, *words: str) -> str:
        """Write a call of landbridge for the shell of the agents; variables of Control-M are filled before the shell sees it."""
        all_words = self.installed.words(*words)
        return shlex.join(all_words) if self.installed.os == "linux" else subprocess.list2cmdline(all_words)

    def holding(self, feed: str) -> str:
        """Give the folder that a feed's files are moved to, as the agents see it.

        Raises:
            UsageError: where it is, is not written in the declaration itself.
        """
        share = self.where.share
        given = share.holding or share.path
        if given.startswith(("env:", "file:", "aws-sm:")):
            raise UsageError(
                f"the folder on the share is a reference (`{given}`), and Control-M needs the path itself",
                expected="an absolute path as the agents see it, in `share.path` or `share.holding`",
            )
        pure = PurePosixPath if self.installed.os == "linux" else PureWindowsPath
        root = pure(self.installed.folder) / given
        if not share.holding:
            root = root / ".landbridge" / self.where.environment.lower() / "holding"
        return f"{root / feed}{'/' if self.installed.os == 'linux' else chr(92)}"


def setting(where: Place, declared: ControlM) -> Setting:
    """Fill in what is left out."""
    return Setting(where, declared, installed(where))


def fitted(name: str, length: int) -> str:
    """Give a name back, or its beginning with a digest of the whole where it is too long."""
    if len(name) <= length:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST].upper()
    return f"{name[: length - _DIGEST - 1]}_{digest}"
