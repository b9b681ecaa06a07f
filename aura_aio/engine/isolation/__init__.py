"""Calls of actions in a process of their own, which can be ended whatever they do.

May import model, catalog, and of `engine` what stands below the executors.
"""
