"""What is wrong with a server's settings, data and machine, and how to mend it: `aura doctor`.

May import the server's parts below `server`, settings and model. Everything here blocks, and
changes nothing.
"""
