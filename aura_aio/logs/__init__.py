"""The shared log queue, its one listener, the subscriptions to it, and the server's own records.

May import `model` only: nothing here knows HTTP or SQL.
"""
