"""How fast the dashboard is in a browser on this machine.

Imports aiohttp, playwright, `chromium` and the public surface of aura_aio.
"""
