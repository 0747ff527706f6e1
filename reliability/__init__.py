"""What breaks Landbridge on purpose, and what judges it? Landbridge itself imports nothing of it."""
