"""What do the agents of the twin see: paths of the share, commands, keys? What stands in for a host on premises.

Nothing of a definition is changed but what names that host: its program, its copy of the declaration, its mount of the
share, the address of the endpoint.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.errors import UsageError
from landbridge.twin.files import private_folder
from landbridge.twin.programs import Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from landbridge.twin.controlm.definitions import SftpProfile
    from landbridge.twin.controlm.server import Server
    from landbridge.twin.controlm.sftp import Remote
    from landbridge.twin.programs import Program


@dataclass(frozen=True, slots=True)
class Agents:
    """All agents of one Control-M/Server: one machine."""

    names: frozenset[str]
    """Agents and host groups."""
    accounts: frozenset[str]
    """Who commands may run as; here they all run as who started the twin."""
    program: Program
    installed: str
    """Path of Landbridge on the hosts, as commands name it."""
    project: tuple[str, Path]
    """Folder of the declaration on the hosts, and the one that it really is."""
    mounts: Mapping[str, Path]
    """Paths that the hosts have, and what they really are."""
    endpoints: Mapping[tuple[str, int, str, str], Remote]
    """SFTP servers that can be reached, by host, port, user and name of the key."""
    environment: Mapping[str, str]
    """Of every command."""
    folder: Path
    """Logs of commands are written below."""

    def remote(self, profile: SftpProfile) -> Remote:
        """Give the server of a profile.

        Raises:
            UsageError: nothing answers there to this user and key.
        """
        wanted = (profile.host, profile.port, profile.user, profile.key)
        if wanted not in self.endpoints:
            raise UsageError(
                f"the profile {profile.name} leads nowhere: {profile.user}@{profile.host}:{profile.port}, key {profile.key}",
                expected="; ".join(f"{one[2]}@{one[0]}:{one[1]}, key {one[3]}" for one in self.endpoints),
            )
        return self.endpoints[wanted]

    def path(self, text: str) -> Path:
        """Give the real path of one on the hosts.

        Raises:
            UsageError: no mount leads there.
        """
        plain = text.replace("\\", "/")
        for mount, real in self.mounts.items():
            top = mount.replace("\\", "/").rstrip("/")
            if plain == top or plain.startswith(f"{top}/"):
                rest = plain[len(top) :].strip("/")
                if ".." in Path(rest).parts:
                    break
                return real / rest if rest else real
        raise UsageError(
            f"the agents have no path `{text}`", expected=f"below {', '.join(self.mounts) or 'no mount'}"
        )

    def command(self, text: str, name: str, at: datetime, server: Server) -> Command:
        """Give what a command line runs: Landbridge with its arguments, on the twin.

        Raises:
            UsageError: it runs something else.
        """
        words = _words(text)
        if not words or words[0] != self.installed:
            raise UsageError(
                f"the agents have no program `{words[0] if words else ''}`", expected=self.installed
            )
        emitted, real = self.project
        arguments = [str(real) if word == emitted else word for word in words[1:]]
        return Command(
            arguments=(*arguments, "--twin"),
            environment=self.environment,
            folder=private_folder(self.folder),
            log=private_folder(self.folder / "logs") / f"{name}.log",
            at=at,
            limit=server.longest_command,
        )


def _words(text: str) -> list[str]:
    """Take a command line apart as a shell does; a backslash is a plain character where it leads a path of Windows."""
    if "\\" in text:
        return [word.strip('"') for word in shlex.split(text, posix=False)]
    return shlex.split(text)
