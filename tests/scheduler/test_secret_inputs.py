"""What is kept to start runs by itself holds no secret.

Imports pytest, aura_aio.model and `bench`.
"""

import pytest

from aura_aio.model.errors import InputsRejected
from tests.scheduler.bench import STEP
from tests.scheduler.conftest import MakeBench

TASK = "meta: {inputs: [{name: token, secret: true}, {name: n, type: integer}]}\n" + STEP


async def test_a_schedule_cannot_be_made_or_changed_to_give_a_secret_input(
    make_bench: MakeBench,
) -> None:
    bench = make_bench()
    bench.write({"tasks/t.yaml": TASK})
    await bench.open()
    wanted = {"plan_name": "p", "task_name": "t", "every_sec": 3600.0}
    with pytest.raises(
        InputsRejected, match="'t' of 'p': token: is secret, and would be kept"
    ) as refusal:
        await bench.schedules.create("a", {**wanted, "inputs": {"token": "hunter2"}})
    assert "hunter2" not in str(refusal.value)
    assert not bench.book.entries
    await bench.schedules.create("a", {**wanted, "inputs": {"n": 1, "token": None}})
    with pytest.raises(InputsRejected):
        await bench.schedules.update("a", {"inputs": {"token": "hunter2"}})
    assert bench.book.entries["a"].schedule.inputs == {"n": 1, "token": None}
