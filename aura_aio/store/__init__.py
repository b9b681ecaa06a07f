"""What survives: stores that keep runs, queue and logs in a database, behind the ports of `model`.

May import the standard library, msgspec and model only.
"""
