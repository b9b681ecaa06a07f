"""One coroutine per operation: take the validated request, call the Scheduler, shape the answer.

May import aiohttp, scheduler's request types, model, and the rest of `api` but `app` and `routes`.
"""
