"""Which made-up data does the identity-verification example carry, and how is it served?"""
