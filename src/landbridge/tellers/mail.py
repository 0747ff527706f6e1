"""How does a notice become a mail? Over a relay, by SMTP with STARTTLS (RFC 3207), its certificate checked."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING

from landbridge.errors import NotPermitted, Unavailable, UsageError
from landbridge.events import log
from landbridge.telling import subject, text

if TYPE_CHECKING:
    from landbridge.notices import Notice

_PATIENCE = 30.0
"""Seconds that one answer of the relay may take."""


@dataclass(frozen=True, slots=True)
class Relay:
    """The relay and how one gets in."""

    host: str
    port: int
    starttls: bool = True
    user: str = ""
    password: str = field(default="", repr=False)
    trust: ssl.SSLContext | None = None
    """Whose certificates count; those of the system without it."""


class Mail:
    """Mails to fixed readers; obeys ports.Teller."""

    def __init__(self, relay: Relay, sender: str, readers: tuple[str, ...]) -> None:
        self.name = "mail"
        self._relay = relay
        self._sender = sender
        self._readers = readers

    def tell(self, notice: Notice) -> None:
        """Hand one mail to the relay; see ports.Teller. A reader that the relay refuses is logged, not tried again."""
        where = f"the mail relay {self._relay.host}:{self._relay.port}"
        try:
            refused = self._sent(self._message(notice))
        except smtplib.SMTPAuthenticationError as error:
            raise NotPermitted(f"{where} refused the log-in", seen=str(error.smtp_code)) from error
        except smtplib.SMTPNotSupportedError as error:
            raise UsageError(
                f"{where} offers no STARTTLS or no log-in",
                hint="use another port, or declare `smtp_security: none` for a relay on this machine",
            ) from error
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
            raise UsageError(
                f"{where} refused the sender or every reader", seen=type(error).__name__
            ) from error
        except ssl.SSLCertVerificationError as error:
            raise NotPermitted(
                f"{where} shows a certificate that does not hold", seen=error.verify_message
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(f"{where} did not take the mail", seen=type(error).__name__) from error
        if refused:
            log.warning("the relay refused readers", count=len(refused))

    def _sent(self, message: EmailMessage) -> dict[str, tuple[int, bytes]]:
        relay = self._relay
        with smtplib.SMTP(relay.host, relay.port, timeout=_PATIENCE) as connection:
            if relay.starttls:
                connection.starttls(context=relay.trust or ssl.create_default_context())
            if relay.user:
                connection.login(relay.user, relay.password)
            return connection.send_message(message)

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = ", ".join(self._readers)
        message["Subject"] = subject(notice)
        message["Date"] = format_datetime(notice.at)
        message["Message-ID"] = make_msgid(domain="landbridge.invalid")
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence answers it
        message.set_content(text(notice))
        return message
