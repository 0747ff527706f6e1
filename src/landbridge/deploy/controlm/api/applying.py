"""How does one document become what is deployed, how is it known that it did, and does every agent connect with it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.controlm.api.http import AnswerLost
from landbridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from landbridge.deploy.controlm.api.calls import AutomationApi, Tested
    from landbridge.deploy.controlm.api.given import Document, Given
    from landbridge.deploy.controlm.api.planning import Step
    from landbridge.deploy.controlm.api.record import Known

    Look = Callable[[AutomationApi, Given, Known], Step]

_WAITS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between two looks at whether Control-M shows what it took: a minute in all."""
_WAITS_WHEN_LOST = _WAITS[:5]
"""As `_WAITS`, where no answer came and perhaps no request arrived."""


def deploy(
    api: AutomationApi,
    given: Given,
    document: Document,
    look: Look,
    pause: Callable[[float], None],
    tell: Callable[[str], None],
) -> Step:
    """Validate a document, deploy it, wait until Control-M shows it, and give what it shows.

    Sent once. Where the answer is lost, Control-M is asked what it has: deployed is deployed. May be interrupted
    anywhere, and run again: a definition of the same name is replaced as a whole.

    Raises:
        DefinitionsRefused: Control-M does not take it; nothing was deployed.
        Unavailable: it does not show what was sent.
        NotPermitted, TryAgain, UsageError: as failures.refused says.
    """
    tell(f"validating {document.file}")
    api.build(document)
    before = look(api, given, {})
    tell(f"deploying {document.file}")
    try:
        api.deploy(document)
    except AnswerLost:
        tell("no answer came: looking what is there")
        shown = _shown(api, given, look, before, _WAITS_WHEN_LOST, pause)
        if not _settled(shown, before):
            raise
        return shown
    shown = _shown(api, given, look, before, _WAITS, pause)
    odd = [part.name for part in shown.parts if part.action in {"Add", "Remove"}]
    if odd:
        raise Unavailable(
            "Control-M took the definitions and does not show them",
            seen=", ".join(odd),
            hint="look in its Planning domain; may the account that deploys also see all of it?",
        )
    return shown


def _shown(
    api: AutomationApi,
    given: Given,
    look: Look,
    before: Step,
    waits: Sequence[float],
    pause: Callable[[float], None],
) -> Step:
    """Look until Control-M shows what was sent, or for as long as the waits are."""
    shown = look(api, given, {})
    for seconds in waits:
        if _settled(shown, before):
            break
        pause(seconds)
        shown = look(api, given, {})
    return shown


def _settled(shown: Step, before: Step) -> bool:
    """Tell whether a comparison shows our deployment: all of it is there, and it is not simply what was there before.

    Keys that Control-M adds by itself are there before and after; they alone tell nothing.
    """
    if any(part.action in {"Add", "Remove"} for part in shown.parts):
        return False
    unlike = any(one.after is not None for part in shown.parts for one in part.keys)
    return not unlike or shown.changes != before.changes


def tests(api: AutomationApi, given: Given, tell: Callable[[str], None]) -> Iterator[Tested]:
    """Have every agent connect with every profile, one after the other.

    Raises:
        NotPermitted: the credentials are refused.
    """
    for agent in given.agents:
        for profile in given.profiles.definitions:
            tell(f"{agent} connects with {profile}")
            yield api.test(given.profiles, profile, given.server, agent)
