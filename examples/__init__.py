"""Which real data can be carried at once? Run `make demo`."""
