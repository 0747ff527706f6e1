"""How fast, how small, how strict, beside its peers? Run `make bench`."""
