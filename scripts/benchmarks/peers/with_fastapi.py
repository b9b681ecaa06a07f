"""FastAPI with uvicorn: the same request, checked as much, and stored nowhere.

Imports the standard library, pydantic, fastapi and uvicorn; prints its URL when it serves.
"""

import socket
from datetime import datetime
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI
from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class AdHocTaskRequest(BaseModel):
    """The body of runTask."""

    model_config = ConfigDict(extra="forbid")

    plan_name: Name
    task_name: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    inputs: dict[str, Any] = {}
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    delay_sec: Annotated[float, Field(ge=0)] | None = None
    run_at: datetime | None = None
    timeout_sec: Annotated[float, Field(gt=0)] | None = None
    labels: Annotated[dict[str, str], Field(max_length=32)] = {}
    callback_url: AnyHttpUrl | None = None


class Accepted(BaseModel):
    """Its answer."""

    status: str
    message: str
    cid: str


app = FastAPI()


@app.post("/api/tasks/run", status_code=202)
async def run_task(body: AdHocTaskRequest) -> Accepted:
    """Answer as runTask does."""
    return Accepted(
        status="queued",
        message=f"Task {body.task_name!r} of plan {body.plan_name!r} is queued.",
        cid="019cadd4-5698-7c31-9b5d-2f4e6a7b8c9d",
    )


def main() -> None:
    """Serve until the process is ended."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
