"""On which hosts on premises does landbridge itself run: its command, its folder, its account, who is told?

Read when jobs are rendered for a scheduler; a run or a collection needs none of it.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from landbridge.feed.words import Declared, Duration

HostPath = Annotated[str, StringConstraints(pattern=r"^(/|[A-Za-z]:[\\/]|\\\\)[^\"'%`$;&|<>*?\n]*$")]
"""An absolute path of the host: `/opt/landbridge`, `C:\\landbridge`, `\\\\server\\share`."""


class Host(Declared):
    """The hosts that collect, or land what another mover brought; all of them alike."""

    os: Literal["linux", "windows"] = "linux"
    """Their operating system."""
    command: HostPath | None = None
    """The installed program; `/opt/landbridge/bin/landbridge`, or `C:\\Program Files\\Landbridge\\landbridge.exe`, without it."""
    folder: HostPath | None = None
    """Where this project's declaration lies on them; `/etc/landbridge/PROJECT`, or `C:\\ProgramData\\Landbridge\\PROJECT`, without it."""
    account: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9_]([A-Za-z0-9_.$@\\ -]{0,102}[A-Za-z0-9_.$-])?$")
    ] = "landbridge"
    """Service account that may write to the share; `DOMAIN\\name` on Windows, where a name may hold spaces."""
    group: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.{}-]{1,80}$")] | None = None
    """What a central scheduler calls these hosts: the `machine` of AutoSys, the queue of Airflow; `PROJECT-ENVIRONMENT` in lower case without it."""
    every: Duration | None = None
    """How often, outside of every feed's window, corrections and late files are looked for; hourly without it."""
    mail: tuple[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._+=-]{1,64}@[A-Za-z0-9.-]{1,190}$")], ...
    ] = ()
    """Who is told when a job fails or is late."""

    @model_validator(mode="after")
    def _paths_are_of_the_os(self) -> Self:
        for name in ("command", "folder"):
            value = getattr(self, name)
            if value is not None and value.startswith("/") != (self.os == "linux"):
                message = f"expected `{name}` as a path of {self.os}"
                raise ValueError(message)
        if self.os == "linux" and " " in self.account:
            message = "expected an account without a space on linux"
            raise ValueError(message)
        return self
