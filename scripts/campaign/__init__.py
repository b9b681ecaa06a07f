"""Clients, faults, and a checker that keeps its own record of what the server has promised.

Nothing here imports aura_aio: what it knows of the server is the contract, the table of states, and
the columns of the database that it looks into.
"""
