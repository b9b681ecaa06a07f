"""The server is killed while it calls back: who asked for it is told all the same."""

from pathlib import Path

from tests.probe_plan import write_probe
from tests.receiver import SECRET, receiving
from tests.server_process import server_process
from tests.waiting import until

OPTIONS = ("--callback-private", "--callbacks-at-once", "1", "--workers", "1")


async def test_whoever_was_not_told_before_a_kill_is_told_after_it(tmp_path: Path) -> None:
    plans = write_probe(tmp_path / "plans")
    env = {"AURA_CALLBACK_SECRETS": SECRET}
    gate = {"gate": str(tmp_path / "gate")}
    async with receiving() as receiver:
        url = receiver.url
        receiver.open.clear()
        async with server_process(tmp_path / "data", plans, *OPTIONS, env=env) as server:
            under_way = await server.run("probe", "echo", inputs={"text": "x"}, callback_url=url)
            await receiver.came()
            due = await server.run("probe", "echo", inputs={"text": "x"}, callback_url=url)
            await server.finished(due)
            running = await server.run("probe", "hold", inputs=gate, callback_url=url)

            async def is_running() -> bool:
                return bool((await server.get(f"/api/runs/{running}")).json["status"] == "running")

            await until(is_running)
            await server.kill()
        receiver.open.set()
        async with server_process(tmp_path / "data", plans, *OPTIONS, env=env):
            first, *calls = await receiver.came(4)
    told = [(call.json["data"]["cid"], call.json["data"]["status"]) for call in calls]
    assert told == [(under_way, "succeeded"), (due, "succeeded"), (running, "failed")]
    assert calls[0].headers["webhook-id"] == first.headers["webhook-id"]
    assert calls[0].body == first.body
    assert all(call.is_signed_with(SECRET) for call in (first, *calls))
