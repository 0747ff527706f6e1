"""The Control-M of the twin: it executes the emitted JSON, and refuses what it does not know."""
