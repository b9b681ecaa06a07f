"""Worker processes: what they run, the frames of their link, and the server's end of it.

May import engine, catalog and model; never store, scheduler or api.
"""
