"""Which real data does the flights example carry, and how is it served?"""
