"""What every part speaks of: states, runs, plans, log entries, errors, ports, clock and ids.

May import the standard library and msgspec only; data here is frozen and does no I/O.
"""
