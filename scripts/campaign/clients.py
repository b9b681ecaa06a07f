"""Clients that do at random all that clients do, and write down what they were promised.

Imports aiohttp and the campaign's `plan`, `record` and `server`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from campaign.plan import NAME
from campaign.record import Record

ANSWER_SEC = 10.0
TRIES = 3


class Unanswered(Exception):
    """The connection was lost, or nothing came in time: it may have happened or not."""


class Clients:
    """A crowd with one record; `chance` decides what each does."""

    def __init__(self, url: str, record: Record, chance: random.Random, token: str = "") -> None:
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._url = url
        self._record = record
        self._chance = chance
        self._keys = 0
        self._changing: set[str] = set()

    async def act(self, count: int, seconds: float) -> None:
        """`count` clients do one thing after another for `seconds`."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SEC)
        async with aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session:
            loop = asyncio.get_running_loop()
            end = loop.time() + seconds
            async with asyncio.TaskGroup() as group:
                for _ in range(count):
                    group.create_task(self._client(session, lambda: loop.time() < end))

    async def _client(self, session: aiohttp.ClientSession, goes_on: Callable[[], bool]) -> None:
        deeds: list[Callable[[aiohttp.ClientSession], Awaitable[None]]] = [
            *[self._submit] * 6,
            *[self._submit_again] * 2,
            *[self._batch] * 2,
            *[self._cancel] * 2,
            *[self._prioritise] * 2,
            self._move_to_front,
            self._reorder,
        ]
        while goes_on():
            try:
                await self._chance.choice(deeds)(session)
            except Unanswered:
                self._record.lost += 1
                await asyncio.sleep(0.05)

    async def _submit(self, session: aiohttp.ClientSession) -> None:
        """Submit one run; when no answer comes, again with the same key, as clients should."""
        body, key = self._body(), self._new_key()
        self._record.unanswered.add(key)
        for _ in range(TRIES):
            try:
                await self._submitted(session, body, key)
            except Unanswered:
                self._record.lost += 1
                await asyncio.sleep(0.1)
            else:
                return

    async def _submit_again(self, session: aiohttp.ClientSession) -> None:
        """Submit the same twice at once."""
        body, key = self._body(), self._new_key()
        self._record.unanswered.add(key)
        both = [self._submitted(session, body, key) for _ in range(2)]
        for result in await asyncio.gather(*both, return_exceptions=True):
            if isinstance(result, Unanswered):
                self._record.lost += 1
            elif isinstance(result, BaseException):
                raise result

    async def _submitted(
        self, session: aiohttp.ClientSession, body: Mapping[str, Any], key: str
    ) -> None:
        headers = {"Idempotency-Key": key}
        status, answer = await self._call(session, "POST", "/api/tasks/run", body, headers)
        if status == 202:
            self._record.accepted(answer["cid"], body["task_name"], body["priority"])
            self._record.answered(key, [answer["cid"]])

    async def _batch(self, session: aiohttp.ClientSession) -> None:
        bodies, key = [self._body() for _ in range(self._chance.randint(1, 20))], self._new_key()
        self._record.unanswered.add(key)
        batch, headers = {"tasks": bodies, "atomic": True}, {"Idempotency-Key": key}
        status, answer = await self._call(session, "POST", "/api/tasks/batch", batch, headers)
        if status == 202:
            for body, item in zip(bodies, answer["items"], strict=True):
                self._record.accepted(item["cid"], body["task_name"], body["priority"])
            self._record.answered(key, [item["cid"] for item in answer["items"]])

    async def _cancel(self, session: aiohttp.ClientSession) -> None:
        if cid := self._any_run():
            status, answer = await self._call(session, "POST", f"/api/tasks/{cid}/cancel")
            if status == 202:
                is_gone = answer["status"] == "cancelled"
                (self._record.gone if is_gone else self._record.cancelled).add(cid)

    async def _prioritise(self, session: aiohttp.ClientSession) -> None:
        """Change a priority; where no other change is under way, we know what it is then."""
        if not (cid := self._any_run()) or cid in self._changing:
            return
        wanted, known = self._chance.randint(-100, 100), self._record.priorities[cid]
        self._record.priorities[cid] = None
        self._changing.add(cid)
        try:
            path = f"/api/tasks/{cid}/priority"
            status, _ = await self._call(session, "PATCH", path, {"priority": wanted})
        finally:
            self._changing.discard(cid)
        self._record.priorities[cid] = wanted if status == 200 else known

    async def _move_to_front(self, session: aiohttp.ClientSession) -> None:
        if cid := self._any_run():
            await self._call(session, "POST", f"/api/queue/{cid}/move-to-front")

    async def _reorder(self, session: aiohttp.ClientSession) -> None:
        status, answer = await self._call(session, "GET", "/api/queue/list?limit=20")
        cids = [item["cid"] for item in answer["items"]] if status == 200 else []
        if cids:
            self._chance.shuffle(cids)
            await self._call(session, "POST", "/api/queue/reorder", {"cid_order": cids})

    async def _call(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        self._record.requests += 1
        try:
            async with session.request(
                method, self._url + path, json=body, headers=headers
            ) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unanswered from error
        if response.status >= 400:
            self._record.refused += 1
        if response.status >= 500 and response.status != 503:
            raise AssertionError(f"{method} {path} answered {response.status}: {answer}")
        return response.status, answer

    def _body(self) -> dict[str, Any]:
        task = self._chance.choice(["once", "again", "onward", "onward", "endless"])
        body: dict[str, Any] = {
            "plan_name": NAME,
            "task_name": task,
            "priority": self._chance.randint(-5, 5),
        }
        if task != "endless":
            body["inputs"] = {"sec": round(self._chance.uniform(0, 0.1), 3)}
        if self._chance.random() < 0.1:
            body["delay_sec"] = round(self._chance.uniform(0.1, 2), 3)
        return body

    def _new_key(self) -> str:
        self._keys += 1
        return f"key-{self._keys}-{self._chance.getrandbits(64):x}"

    def _any_run(self) -> str | None:
        runs = list(self._record.runs)[-200:]
        return self._chance.choice(runs) if runs else None
