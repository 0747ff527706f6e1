"""Which real servers do examples and tests start on this machine?"""
