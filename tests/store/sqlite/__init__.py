"""What is true of the SQLite store alone: its file, its writer, the cost of its statements.

Imports aura_aio.store and model.
"""
