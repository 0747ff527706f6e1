"""Does a file keep its promise? An ODCS contract becomes a strict byte-level pass and one query."""
