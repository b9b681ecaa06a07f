"""What many hosts on one database can do: what a transaction costs, formulas, a simulation.

Imports the standard library, msgspec, simpy, and each other; `measuring` and `database` import the
store and a PostgreSQL as well, and nothing else does.
"""
