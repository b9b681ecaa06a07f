"""One conformance suite for all stores: what a port promises is proved here, for each of them.

`sqlite/` has what is true of SQLite alone. Imports aura_aio.model and the stores.
"""
