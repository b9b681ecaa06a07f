"""The store in tables of a relational database: what the backends share, statements included.

May import store.writer, the standard library, msgspec and model only.
"""
