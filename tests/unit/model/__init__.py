"""The model.

Imports aura_aio.model.
"""
