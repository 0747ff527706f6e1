"""Which client carries our channels, how many are open, and when is one opened again?"""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError, UsageError
from landbridge.events import log
from landbridge.sftp import exchange, keys, openssh
from landbridge.sftp.endpoint import Client
from landbridge.sftp.errors import closed, failed, translated
from landbridge.sftp.openssh import OpenSsh, Unusable

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.sftp.channel import Channel, Line
    from landbridge.sftp.endpoint import Endpoint, Tuning
    from landbridge.sftp.in_process import InProcess

_LARGE = 64 << 20
"""From so many bytes on, another connection is worth its log-in."""
_MOST = 4
_RATE = 400 << 20
"""Bytes a second that the connections together should be able to carry, as far as their windows go."""


class Lines:
    """The connections to one server, opened when first needed and again after a cut. From any thread."""

    def __init__(
        self, endpoint: Endpoint, tuning: Tuning, latest: Callable[[], Endpoint] | None = None
    ) -> None:
        """Read the keys; `latest` gives the endpoint as it is when a further connection is to be opened.

        Raises:
            NotPermitted: the private key or its passphrase cannot be used.
            UsageError: a pinned host key is not one.
        """
        self._endpoint = endpoint
        self._tuning = tuning
        self._latest = latest
        self._keys, self._just_read = keys.read(endpoint), True
        self._program = None if tuning.client is Client.ASYNCSSH else openssh.found()
        self._opening = threading.Lock()
        self._channels: list[Channel] = []
        self._allowed = _MOST
        """Connections at once, as far as is known; fewer after the server refused one, until none is left."""
        self._round_trip: float | None = None
        """Seconds; measured before the first large file."""
        self._failed: tuple[float, LandbridgeError] | None = None
        self._lines: set[Line] = set()
        self._listed = threading.Lock()
        self._closed = False

    def first(self) -> Channel:
        """Give a channel; one caller opens it, the others wait and share what came of it.

        Raises:
            IntegrityBroken: another host key.
            NotPermitted: the key was refused.
            Unavailable: no answer, or closed.
        """
        for channel in self._channels[:1]:
            if channel.live:
                return channel
        began = time.monotonic()
        with self._opening:
            if self._closed:
                raise closed(self._endpoint)
            self._drop_the_dead()
            if self._channels:
                return self._channels[0]
            if self._failed is not None and self._failed[0] > began:
                # Forty threads that ask again would be forty refused log-ins.
                error = self._failed[1]
                raise type(error)(error.what, expected=error.expected, seen=error.seen, hint=error.hint)
            try:
                self._read_again()
                self._channels = [self._connected()]
                self._allowed = _MOST
            except LandbridgeError as error:
                self._failed = time.monotonic(), error
                raise
            return self._channels[0]

    def for_bytes(self, size: int) -> list[Channel]:
        """Give the channels that `size` bytes should come over: several where the line is longer than one's window."""
        first = self.first()
        if size < _LARGE or (wanted := self._wanted(first)) == 1:
            return [first]
        with self._opening:
            self._drop_the_dead()
            missing = min(wanted, self._allowed) - len(self._channels)
            if missing > 0:
                self._read_again()
                with ThreadPoolExecutor(missing, thread_name_prefix="sftp") as pool:
                    opened = [channel for channel in pool.map(self._another, range(missing)) if channel]
                self._channels += opened
                if len(opened) < missing:  # each further try would be a refused log-in before the first byte
                    self._allowed = max(1, len(self._channels))
            return self._channels[:wanted] or [first]

    def close(self) -> None:
        """End them all; a connection that is being opened too. Idempotent."""
        with self._listed:
            self._closed = True
            lines, self._lines = self._lines, set()
        for line in lines:
            line.close()

    def _wanted(self, channel: Channel) -> int:
        if self._round_trip is None:
            with translated(self._endpoint, "connecting"):
                self._round_trip = channel.run(exchange.round_trip(time.monotonic)).result()
        rate = min(_RATE, self._tuning.bandwidth or _RATE)
        return max(1, min(_MOST, math.ceil(self._round_trip * rate / channel.line.window)))

    def _another(self, _: int) -> Channel | None:
        try:
            return self._connected()
        except LandbridgeError as error:
            # The server may allow no more of them; the first one goes on.
            log.warning("sftp: no further connection", server=str(self._endpoint), seen=error.seen)
            return None

    def _read_again(self) -> None:
        """Take up a key or a host key that was changed since: a collector may run for months, and a key does not."""
        if self._latest is None or self._just_read:
            self._just_read = False
            return
        self._endpoint = self._latest()
        self._keys = keys.read(self._endpoint)

    def _drop_the_dead(self) -> None:
        for channel in self._channels:
            if not channel.live:
                self._end(channel.line)
        self._channels = [channel for channel in self._channels if channel.live]

    def _connected(self) -> Channel:
        began = time.monotonic()
        channel = self._by_ssh() or self._by_asyncssh()
        took = time.monotonic() - began
        log.info(
            "sftp: connected",
            server=str(self._endpoint),
            client=channel.line.client,
            seconds=round(took, 3),
        )
        return channel

    def _by_ssh(self) -> Channel | None:
        if self._program is None:
            if self._tuning.client is Client.OPENSSH:
                raise UsageError(
                    "OpenSSH cannot be used here, and nothing else may be",
                    expected="`ssh` on PATH, on Linux, for a user with a name",
                    hint="install OpenSSH's client, or unset LANDBRIDGE_SFTP_CLIENT",
                )
            return None
        try:
            return self._opened(partial(OpenSsh, self._program, self._endpoint, self._keys, self._tuning))
        except Unusable as error:
            if self._tuning.client is Client.OPENSSH:
                raise failed(self._endpoint, "connecting", str(error)) from error
            log.warning("sftp: ssh cannot be used, asyncssh goes on", seen=str(error))
            self._program = None
            return None

    def _by_asyncssh(self) -> Channel:
        from landbridge.sftp.in_process import InProcess

        return self._opened(partial(InProcess, self._endpoint, self._keys, self._tuning))

    def _opened(self, start: Callable[[], OpenSsh | InProcess]) -> Channel:
        with self._listed:
            if self._closed:  # a child that was started would connect before it is ended
                raise closed(self._endpoint)
            line = start()
            self._lines.add(line)
        whole = False
        try:
            channel = line.connect()
            whole = True
            return channel
        finally:
            if not whole:
                self._end(line)

    def _end(self, line: Line) -> None:
        with self._listed:
            self._lines.discard(line)
        line.close()
