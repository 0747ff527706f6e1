"""With which of SFTP's clients can a test be run here?"""

from __future__ import annotations

import pytest

from landbridge.sftp import openssh
from landbridge.sftp.endpoint import Client

needs_ssh = pytest.mark.skipif(openssh.found() is None, reason="OpenSSH's client cannot be used here")
CLIENTS = (pytest.param(Client.OPENSSH, marks=needs_ssh), Client.ASYNCSSH)
