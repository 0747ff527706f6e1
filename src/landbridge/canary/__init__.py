"""Does the whole way work, now? A tiny marked file that goes it, one level below where real files go, and is timed.

Everything is the product's own: steps, ledger, manifest, claim, journal, receipt. What is its own is where it goes: `_canary/` in
the ledger, below `outbound/` and below `receipts/`, and a folder in our private one on the share. Nobody who looks for data looks there.
"""
