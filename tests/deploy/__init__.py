"""Are the rendered templates what the ecosystem accepts?"""
