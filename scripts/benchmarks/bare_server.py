"""The limit of `submit`: an aiohttp handler that parses the body and answers the same JSON.

Imports aiohttp, orjson and uvloop; run as a process, it prints its URL.
"""

import orjson
import uvloop
from aiohttp import web

from benchmarks import bare

ANSWER = {
    "status": "queued",
    "message": "Task 'noop' of plan 'bench' is queued.",
    "cid": "019cadd4-5698-7c31-9b5d-2f4e6a7b8c9d",
}


async def run_task(request: web.Request) -> web.Response:
    """Parse, and answer as runTask does."""
    orjson.loads(await request.read())
    return web.Response(status=202, body=orjson.dumps(ANSWER), content_type="application/json")


async def main() -> None:
    """Serve until the process is ended."""
    app = web.Application()
    app.router.add_post("/api/tasks/run", run_task)
    await bare.serve(app)


if __name__ == "__main__":
    uvloop.run(main())
