"""What is handed to somebody who asks for proof of one slot? One signed file with every fact, and how it is checked."""

from landbridge.bundle.checking import Checked, check, check_file, key_asked_for
from landbridge.bundle.gathering import gather
from landbridge.bundle.statement import MOST, Bundle, Link, payload_of

__all__ = [
    "MOST",
    "Bundle",
    "Checked",
    "Link",
    "check",
    "check_file",
    "gather",
    "key_asked_for",
    "payload_of",
]
