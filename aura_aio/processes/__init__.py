"""Processes of Aura's own, which end together with all that they started: spawned, or forked.

May import the standard library, and setproctitle.
"""
