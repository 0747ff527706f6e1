"""With which credentials, and at which address, is Control-M asked?"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.api.calls import AutomationApi
from landbridge.deploy.controlm.api.http import Line, trust
from landbridge.deploy.controlm.api.session import Login, Session, Token
from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landbridge.controlm import Api
    from landbridge.project import Place
    from landbridge.wiring.secrets import References


@contextmanager
def make(
    place: Place, references: References, pause: Callable[[float], None], tell: Callable[[str], None]
) -> Iterator[AutomationApi]:
    """Open the Automation API of an environment, and leave no session behind; nothing is connected before it is used.

    Raises:
        UsageError: the environment declares none, or it cannot be used as it is declared.
    """
    declared = place.controlm.api if place.controlm else None
    if declared is None:
        raise UsageError(
            f"{place.environment} has no Automation API to deploy through",
            expected="`controlm.api` in landbridge.yaml, for the project or for this environment",
            hint="without it, hand what `landbridge deploy controlm render` writes to Control-M's administrators",
        )
    context = trust(references.text(declared.ca) if declared.ca else None)
    with (
        Line(references.text(declared.url), context, declared.timeout.total_seconds()) as line,
        Session(line, _credentials(declared, references), tell) as session,
    ):
        yield AutomationApi(session, pause, tell)


def _credentials(declared: Api, references: References) -> Token | Login:
    token, user, password = declared.token, declared.user, declared.password
    if token is not None:
        return Token(lambda: references.resolve(token))
    if user is None or password is None:  # the model's validator has refused this
        raise AssertionError(declared.url)
    return Login(user, lambda: references.resolve(password))
