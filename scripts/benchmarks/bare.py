"""How a server of ours that is only a limit serves: bare aiohttp.

Imports aiohttp.
"""

import asyncio

from aiohttp import web


async def serve(app: web.Application) -> None:
    """Serve `app` on a free port, whose URL is printed, until the process is ended."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()
