"""Does each command print and exit as its help says?"""
