"""The tests of aura-aio, in the folders of DESIGN's list; `python scripts/test.py` runs them.

A package, so that `from tests.waiting import until` works from every folder below.
"""
