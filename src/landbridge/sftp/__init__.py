"""How are files read and receipts written over SFTP? Our own packets, over an OpenSSH child or asyncssh; plain calls outside."""
