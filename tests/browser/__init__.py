"""The pages beside the contract: as files, and as a person sees them in Chromium.

Imports pytest, aiohttp, playwright and the fixtures of `tests.conftest`.
"""
