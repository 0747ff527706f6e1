"""How are the rows of a query read, all queries on one URL in one snapshot?"""
