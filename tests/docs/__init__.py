"""Does everything that the documentation shows exist and run?"""
