"""What the tests of runs in any order draw: tasks, requests, and which run is meant.

Imports Hypothesis, aura_aio and the model.
"""

from hypothesis import strategies as st

from aura_aio.model.run import Limit, OnCrash
from aura_aio.model.states import RunEvent
from aura_aio.scheduler.admission import RunRequest
from tests.scheduler.modelled import Key, Kind
from tests.scheduler.queue_model import ENDS

SITE, API, FEW = Limit("mutex:site", 1), Limit("resource:api", 3), Limit("resource:api", 2)
KINDS = [
    Kind("a", "plain"),
    Kind("a", "resume", OnCrash.RESUME),
    Kind("a", "site", OnCrash.RESTART, (SITE,)),
    Kind("b", "api", OnCrash.FAIL, (API,)),
    Kind("b", "both", OnCrash.RESUME, (SITE, FEW)),
    Kind("b", "plain", OnCrash.RESTART),
]
CONCURRENCY = {SITE: "mutex_group: site", API: "resources: ['api:3']", FEW: "resources: ['api:2']"}
UNKNOWN = "019cadd4-0000-7000-8000-000000000000"
MISSPELT = RunRequest(plan_name="a", task_name="plane")


def task_of(kind: Kind) -> str:
    """The file of its task."""
    limits = ", ".join(CONCURRENCY[limit] for limit in kind.limits)
    return (
        f"meta: {{on_crash: {kind.on_crash}, concurrency: {{{limits}}}}}\n"
        "steps: {a: {action: log, params: {message: x}}}"
    )


kinds = st.sampled_from(KINDS)
kinds_of_children = st.sampled_from([kind for kind in KINDS if not kind.limits])
calls = st.tuples(
    kinds_of_children, st.sampled_from(["waits", "waits", "goes on"]), st.sampled_from([None, 1])
)
priorities = st.sampled_from([0, 0, 0, 1, -5])
delays = st.sampled_from([None, None, None, 0.0, 5.0, 60.0])
keys = st.sampled_from([None, None, Key("k", "1"), Key("k", "2"), Key("l", "1")])
places = st.integers(-1, 20)  # of a run, the newest first; -1: there is none such
positions = st.sampled_from([1, 2, 3, 2, 9])
ends = st.sampled_from([*ENDS, RunEvent.SUCCEED])
modes = st.sampled_from(["graceful", "graceful", "kill"])
plan_names = st.sampled_from([None, "a", "b"])
asked = st.tuples(kinds, priorities, delays)
