"""The door for outside agents: they read a lab and leave proposals in its mailbox, by the Model Context Protocol."""
