"""What must exist outside the program for a declaration to work, and how is it rendered and deployed?"""
