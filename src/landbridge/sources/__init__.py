"""How do a feed's declared sources become streams of Arrow record batches?"""
