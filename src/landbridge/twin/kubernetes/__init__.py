"""The cluster of the twin: it executes the emitted manifests, and refuses what it does not know."""
