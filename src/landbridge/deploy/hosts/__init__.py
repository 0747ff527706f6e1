"""Which jobs run on the hosts on premises, and how does each scheduler there say so? One module a kind; text only."""
