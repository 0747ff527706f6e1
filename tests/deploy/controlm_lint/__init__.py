"""Tests of `landbridge deploy controlm lint`."""
