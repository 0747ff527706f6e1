"""Which fakes pass the contract suite of their port?"""
