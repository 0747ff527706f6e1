"""How does Control-M take the files of an environment: server, agents, key, names, who is told?

Read when an environment is deployed; a run or a collection needs none of it.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from landbridge.feed.words import Declared, Duration, Resolvable, SecretReference, Text, TimeOfDay

ControlMName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.{}-]{0,63}$")]
"""A folder, profile, resource, secret or host group; `{environment}` and `{ENVIRONMENT}` stand for the environment's name."""
ZoneLabel = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_+-]{3,30}$")]
"""A time zone as Control-M/Server knows it (TimeZone.dat): three characters by default."""


class Api(Declared):
    """The Automation API of the Enterprise Manager."""

    url: Resolvable
    """`https://controlm.example.internal:8443/automation-api`; always TLS, always verified."""
    ca: Resolvable | None = None
    """CA certificates (PEM, or `file:`) instead of the host's own."""
    token: SecretReference | None = None
    """API token, sent as `x-api-key`: SaaS, and self-hosted from 9.0.21."""
    user: Text | None = None
    """Who logs in, where there is no token."""
    password: SecretReference | None = None
    """Of `user`."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.token is None) == (self.user is None) or (self.user is None) != (self.password is None):
            message = "expected either `token`, or `user` and `password`"
            raise ValueError(message)
        return self


class ShareLogin(Declared):
    """How the agents reach the share: the local side of a transfer."""

    os: Literal["Unix", "Windows"] = "Unix"
    """Of the agents."""
    user: Text
    """Account that writes to the share."""
    password: ControlMName
    """Name of the secret in Control-M's own vault; never the password itself."""


class ControlM(Declared):
    """The Control-M side of an environment."""

    server: ControlMName
    """Control-M/Server that orders the folder."""
    style: Literal["native", "agent"] = "native"
    """`native`: managed file transfer moves, `landbridge land` verifies and lands. `agent`: an OS job runs `landbridge collect`."""
    application: ControlMName | None = None
    """Application of all jobs; the project's name in capitals without it."""
    sub_application: ControlMName | None = None
    """Sub-application of all jobs."""
    folder: ControlMName | None = None
    """Name of the folder; `PROJECT_ENVIRONMENT` in capitals without it."""
    agents: ControlMName
    """The agent, or the host group of agents, that transfers and verifies."""
    members: Annotated[tuple[ControlMName, ...], Field(min_length=1)] | None = None
    """The agents of the host group: each needs the key, and the profile is tested on each. `agents` itself without it."""
    source_profile: ControlMName | None = None
    """Connection profile of the SFTP endpoint; `FOLDER_SFTP` without it."""
    destination_profile: ControlMName | None = None
    """Connection profile of the share; `FOLDER_SHARE` without it."""
    key: ControlMName
    """The private key's name on each agent (`PrivateKeyName`)."""
    key_born: Literal["agent", "cloud"] = "agent"
    """Where the key pair is made: on the agent by Control-M, or by `landbridge keys`, which hands it over."""
    passphrase: ControlMName | None = None
    """Of the private key: name of the secret in Control-M's own vault."""
    share: ShareLogin | None = None
    """The local side; only the style `native` wants it."""
    time_zones: dict[Text, ZoneLabel] = {}
    """What Control-M/Server calls a time zone of a schedule: `Europe/London: LON`."""
    server_time_zone: Text = "Europe/London"
    """Where Control-M/Server's own clock is."""
    new_day: TimeOfDay = "00:00"
    """When Control-M/Server's working day begins, on its own clock."""
    first_year: Annotated[int, Field(ge=2000, le=2999)] = 2026
    """From which year on calendars are written out, where no rule of Control-M gives the days."""
    last_year: Annotated[int, Field(ge=2000, le=2999)] = 2030
    """Until which year; render and deploy again before it ends."""
    sessions: Annotated[int, Field(ge=1, le=10)] = 4
    """SFTP transfers at once over all jobs: units of the resource pool."""
    pool: ControlMName | None = None
    """Name of the resource pool; `FOLDER_SESSIONS` without it."""
    retries: Annotated[int, Field(ge=0, le=99)] = 5
    """Tries of a transfer before its job fails."""
    retry_every: Duration = Field(default="10m", validate_default=True)
    """A failed job is run again after so long, while its window is open."""
    mail: tuple[Text, ...] = ()
    """Who is told of a failure and of a late file."""
    api: Api | None = None
    """Where folder and profiles are deployed; without it they are rendered only."""
    extra: dict[Text, dict[Text, object]] = {}
    """By job, or `*` for the folder: keys that are merged in as they are. Nothing checks them; each one is warned of."""

    @model_validator(mode="after")
    def _years_in_order(self) -> Self:
        if self.first_year > self.last_year:
            message = "expected `first_year` not after `last_year`"
            raise ValueError(message)
        return self
