"""Who is told of a slot that is late, missing, quarantined or stuck, and what is made good by itself?

Read by `landbridge watch`, wherever it runs: a CronJob, another scheduler, a terminal.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from landbridge.feed.words import Declared, Duration, SecretReference, Text

_SHORTEST = timedelta(minutes=1)


class Watch(Declared):
    """The scheduled look at all slots: what is late or missing is told, even when no job ever fired."""

    every: Duration = Field(default="15m", validate_default=True)
    """How often; a divisor of an hour or a day, such as `5m`, `15m`, `1h`. At most `30m` where `aws` and `kubernetes` are declared: silence raises an alarm."""
    look_back: Duration = Field(default="14d", validate_default=True)
    """Slots whose business date is older are left to people."""
    stuck_after: Duration = Field(default="1h", validate_default=True)
    """A slot whose verdict is `release` and whose file is not released so long afterwards is told: staging forgets it one day."""
    remind: Duration = Field(default="24h", validate_default=True)
    """What is still so after this long is told once more, again and again."""
    catch_up: Duration | None = None
    """Run slots without a verdict (and carry on the stuck ones) that were due at most so long ago; never without it."""
    catch_up_after: Duration = Field(default="1h", validate_default=True)
    """A slot that is due is left to its own job for so long."""
    catch_up_most: Annotated[int, Field(ge=1, le=1000)] = 20
    """Slots that one pass runs; the oldest first, the rest at the next pass."""
    topic: Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:.+$")] | None = (
        None
    )
    """SNS topic that is told; that of the AWS stacks without it."""
    webhook: SecretReference | None = None
    """URL that gets a JSON document by POST."""
    mail: tuple[Text, ...] = ()
    """Who is told by mail, over `smtp`."""
    smtp: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]+:\d{1,5}$")] | None = None
    """Host and port of the relay, `mail.example.internal:587`."""
    smtp_security: Literal["starttls", "none"] = "starttls"
    """`none` only for a relay on the same machine or wire: everything is readable on its way."""
    smtp_user: Text | None = None
    """For a relay that wants a log-in."""
    smtp_password: SecretReference | None = None
    """Of `smtp_user`."""
    sender: Text | None = None
    """Sender of the mails."""

    @model_validator(mode="after")
    def _fits_together(self) -> Watch:
        if self.mail and not (self.smtp and self.sender):
            message = "expected `smtp` and `sender` together with `mail`"
            raise ValueError(message)
        if (self.smtp_user is None) != (self.smtp_password is None):
            message = "expected `smtp_user` and `smtp_password` together"
            raise ValueError(message)
        if self.smtp_user and self.smtp_security == "none":
            message = (
                "expected `smtp_security: starttls` with `smtp_password`: a password is not sent in the clear"
            )
            raise ValueError(message)
        if self.catch_up is not None and self.catch_up <= self.catch_up_after:
            message = "expected `catch_up` longer than `catch_up_after`, or no slot is ever caught up"
            raise ValueError(message)
        if min(self.every, self.remind, self.look_back) < _SHORTEST:
            message = "expected `every`, `remind` and `look_back` of at least `1m`"
            raise ValueError(message)
        return self
