"""The documents: their links resolve, and what they show is what happens.

Imports nothing.
"""
