"""Benchmarks: each scenario beside its limit and its peers, alternating in one run, as ratios.

Import the standard library, msgspec, uvloop, rich, and each other; they see the product from
outside, as a process that answers HTTP.
"""
