"""How are files read and receipts written over SFTP? asyncssh inside, plain calls outside."""
