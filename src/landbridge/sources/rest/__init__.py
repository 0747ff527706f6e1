"""How are the records of a JSON API read over HTTP?"""
