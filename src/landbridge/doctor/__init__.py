"""What does the feed rely on, does each of it hold, and what mends it? Examined by calls that change nothing.

What must hold comes from the declaration and from `deploy/needs.py`; `table.py` is the list of checks.
"""
