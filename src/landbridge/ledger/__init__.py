"""What was decided about each slot, and what proves it? Commitments, attempts, manifests, absences and receipts.

The ledger is objects in a store that are written once, laid out by date so that a day is one short listing.
"""

from landbridge.ledger.absences import absence_bytes, absence_from
from landbridge.ledger.book import Ledger, SlotEntries
from landbridge.ledger.manifests import manifest_bytes, manifest_for, manifest_from
from landbridge.ledger.receipts import (
    brought_fact,
    brought_from,
    confirm,
    envelope_in,
    make_receipt_bytes,
    read_receipt,
    receipt_in,
)

__all__ = [
    "Ledger",
    "SlotEntries",
    "absence_bytes",
    "absence_from",
    "brought_fact",
    "brought_from",
    "confirm",
    "envelope_in",
    "make_receipt_bytes",
    "manifest_bytes",
    "manifest_for",
    "manifest_from",
    "read_receipt",
    "receipt_in",
]
