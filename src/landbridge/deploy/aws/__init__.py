"""How do rendered stacks get into an AWS account: planned, shown, applied exactly as shown, looked at, destroyed?"""
