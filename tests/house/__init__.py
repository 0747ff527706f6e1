"""Is the house in order? Sizes, rooms, and words that must not appear."""
