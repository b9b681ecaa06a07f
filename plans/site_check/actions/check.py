"""The actions of the task `check`: ask, and sum up."""

from typing import Any, Literal

from aura_aio import ActionContext, action

from ._probe import Answer, Policy, probe_all


@action
async def check_urls(
    urls: list[str],
    parallelism: int,
    timeout_sec: float,
    retries: int,
    retry_delay_sec: float,
    method: Literal["GET", "HEAD"],
    context: ActionContext,
) -> list[Answer]:
    """Asks for all `urls`, `parallelism` at a time, and returns a table in their order."""

    def on_answer(answer: Answer, done: int) -> None:
        words = answer["error"] or f"{answer['status']} in {answer['elapsed_ms']:g} ms"
        level = "info" if answer["ok"] else "warning"
        context.log(f"{answer['url']}: {words}", level=level, tries=answer["tries"])
        context.progress(done / len(urls), f"{done} of {len(urls)}")

    policy = Policy(method, parallelism, timeout_sec, retries, retry_delay_sec)
    return await probe_all(urls, policy, on_answer)


@action
def summarize(table: list[Answer], context: ActionContext) -> dict[str, Any]:
    """Counts what is ok, and finds the slowest answer."""
    good = [answer for answer in table if answer["ok"]]
    slowest = max(good, key=lambda answer: answer["elapsed_ms"], default=None)
    context.log(f"{len(good)} of {len(table)} URLs are ok")
    return {
        "ok": len(good),
        "failed": len(table) - len(good),
        "failed_urls": [answer["url"] for answer in table if not answer["ok"]],
        "slowest_url": slowest["url"] if slowest else None,
        "slowest_ms": slowest["elapsed_ms"] if slowest else None,
    }
