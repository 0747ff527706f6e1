"""Does every adapter keep the promise of its port?"""
