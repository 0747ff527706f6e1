"""Which keys may sign evidence? One module a place where a key is kept."""
