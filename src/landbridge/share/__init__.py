"""How does a file come onto the destination share once, whole, and on the record?"""
