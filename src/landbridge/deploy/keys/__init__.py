"""How are the SSH keys of the SFTP side made, announced, tried, changed and taken away?

Nothing is kept here: what Secrets Manager and the server hold is looked at each time, and each command does the next step
that is not done. So a crash anywhere is mended by typing the command again.
"""
