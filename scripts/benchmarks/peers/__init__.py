"""What others do: for each peer a program, which runs in an environment of its own.

Imports nothing; the programs import the standard library, `talk`, `redis_server`, and their peer.
"""
