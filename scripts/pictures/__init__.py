"""Pictures of the dashboard, from real runs of the example plans.

Imports aiohttp, playwright, `chromium` and the public surface of aura_aio.
"""
