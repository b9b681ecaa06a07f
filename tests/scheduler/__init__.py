"""What starts runs by itself, over a real store and a clock that the test turns.

Imports aura_aio and the test's tools.
"""
