"""Are the pure parts right? No server, no clock, no disk beyond a temporary folder."""
