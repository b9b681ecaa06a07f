"""The log hub and its parts.

Imports aura_aio.logs, model and a real store.
"""
