"""How does a reference become the secret it refers to, at the moment it is used?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.feed.words import is_reference
from landbridge.naming import credential_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class References:
    """Resolves `env:NAME`, `file:PATH` (from the project's folder) and `aws-sm:ID[#key]`; obeys ports.Secrets.

    Nothing is cached: a rotated secret is seen at the next use. A file that systemd hands over as a credential is read
    from there: the account that runs needs no right to the file itself. Source: systemd.exec(5), "Credentials".
    """

    def __init__(
        self, environ: Mapping[str, str], folder: Path, secrets_manager: Callable[[str], str]
    ) -> None:
        """Take the environment, the project's folder, and what reads the text of a Secrets Manager secret by its id."""
        self._environ = environ
        self._folder = folder
        self._secrets_manager = secrets_manager

    def resolve(self, reference: str) -> str:
        """Give the secret; see ports.Secrets."""
        scheme, _, rest = reference.partition(":")
        match scheme:
            case "env":
                return self._variable(rest)
            case "file":
                return self._file(rest)
            case "aws-sm":
                return self._secrets_manager_value(rest)
            case _:
                raise UsageError(
                    "this is not a reference to a secret", expected="`env:NAME`, `file:PATH` or `aws-sm:ID`"
                )

    def text(self, declared: str) -> str:
        """Resolve a reference, or give plain text back as it is."""
        return self.resolve(declared) if is_reference(declared) else declared

    def _variable(self, name: str) -> str:
        value = self._environ.get(name, "")
        if not value:
            raise UsageError(
                f"the environment variable `{name}` is not set",
                expected=f"a value, because the declaration says `env:{name}`",
                hint=f"export {name}=... and run the command again",
            )
        return value

    def _file(self, name: str) -> str:
        lent = Path(self._environ.get("CREDENTIALS_DIRECTORY", "")) / credential_of(name)
        path = lent if lent.is_absolute() and lent.is_file() else self._folder / name
        try:
            return path.read_text(encoding="utf-8").rstrip("\n")
        except FileNotFoundError as error:
            raise UsageError(
                f"the file `{name}` is not there",
                expected=f"a file, because the declaration says `file:{name}`",
                hint="make it, or use the twin's own keys with `--twin`",
            ) from error
        except UnicodeDecodeError:  # not chained: it carries what was read
            raise UsageError(f"the file `{name}` is no text", expected="UTF-8") from None
        except (PermissionError, IsADirectoryError) as error:
            raise NotPermitted(f"the file `{name}` cannot be read: {error.strerror}") from error

    def _secrets_manager_value(self, name: str) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        from landbridge.refusals import CHAIN, NO_CREDENTIALS

        secret_id, _, key = name.partition("#")
        try:
            text = self._secrets_manager(secret_id)
        except NO_CREDENTIALS as error:
            raise NotPermitted(
                f"there are no AWS credentials to ask Secrets Manager for `{secret_id}` with", hint=CHAIN
            ) from error
        except ClientError as error:
            raise _refused(secret_id, error.response["Error"]["Code"]) from error
        except BotoCoreError as error:
            raise Unavailable(
                f"Secrets Manager cannot be reached for `{secret_id}`",
                seen=type(error).__name__,
                hint="look whether this host reaches AWS, then run the command again",
            ) from error
        return _field(text, secret_id, key) if key else text


def _refused(secret_id: str, code: str) -> LandbridgeError:
    """Say what an answer of Secrets Manager means for whoever wants the secret."""
    from landbridge.refusals import CHAIN, DENIED, EXPIRED, LOG_IN, UNKNOWN

    if code in EXPIRED:
        return NotPermitted("the AWS credentials have expired", seen=code, hint=LOG_IN)
    if code in UNKNOWN:
        return NotPermitted(f"AWS refused the credentials for `{secret_id}`", seen=code, hint=CHAIN)
    if code in DENIED:
        return NotPermitted(
            f"Secrets Manager refused `{secret_id}`",
            expected="the permissions secretsmanager:GetSecretValue for it, and kms:Decrypt for its key",
            seen=code,
            hint="`landbridge needs` prints who is to have them",
        )
    if code == "ResourceNotFoundException":
        return UsageError(
            f"Secrets Manager has no secret `{secret_id}`",
            expected=f"a secret, because the declaration says `aws-sm:{secret_id}`",
            hint="correct its name in the declaration, or look at account and region: aws sts get-caller-identity",
        )
    return Unavailable(
        f"Secrets Manager did not give `{secret_id}`", seen=code, hint="run the command again later"
    )


def _field(text: str, secret_id: str, key: str) -> str:
    try:
        document = json.loads(text)
    except ValueError as error:
        # The decoder's message quotes the text, so it is not passed on.
        raise UsageError(
            f"the secret `{secret_id}` is not JSON", expected=f"an object with `{key}`"
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get(key), str):
        raise UsageError(
            f"the secret `{secret_id}` has no text under `{key}`", expected=f"an object with the text `{key}`"
        )
    value: str = document[key]
    return value
