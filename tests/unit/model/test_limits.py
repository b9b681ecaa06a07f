"""What a task's `concurrency` demands of a run, and what a child need not wait for.

Imports aura_aio.model and pytest.
"""

import pytest

from aura_aio.model.limits import (
    MOST_AT_ONCE,
    Limits,
    kind_and_name,
    limits_of,
    limits_of_child,
    split_resource,
    waiting_for,
)
from aura_aio.model.plan import Concurrency, Task, TaskMeta
from aura_aio.model.run import Limit

SITE = Limit("mutex:site", 1)
API = Limit("resource:api", 5)
DISK = Limit("resource:disk", 1)


def task(concurrency: Concurrency) -> Task:
    """A task that stands so beside others."""
    return Task("shop", "orders/fetch", TaskMeta(concurrency=concurrency))


def needs(limits: Limits) -> Limits:
    """Those that are places."""
    return tuple(limit for limit in limits if not limit.key.startswith("awaited:"))


@pytest.mark.parametrize(
    ("concurrency", "limits"),
    [
        (Concurrency(), []),
        (Concurrency("exclusive"), [("exclusive", 1)]),
        (
            Concurrency("shared", resources=("db:3", "api:example:5", "disk")),
            [("resource:api:example", 5), ("resource:db", 3), ("resource:disk", 1)],
        ),
        (
            Concurrency("exclusive", mutex_group="site", max_instances=2),
            [("exclusive", 1), ("instances:shop/orders/fetch", 2), ("mutex:site", 1)],
        ),
    ],
)
def test_a_run_needs_what_its_task_demands_in_the_order_of_the_keys(
    concurrency: Concurrency, limits: list[tuple[str, int]]
) -> None:
    assert limits_of(task(concurrency)) == tuple(Limit(*limit) for limit in limits)


@pytest.mark.parametrize(
    ("text", "name", "most"),
    [
        ("api", "api", 1),
        ("api:5", "api", 5),
        ("api:example", "api:example", 1),
        ("api:example:5", "api:example", 5),
        ("api:5:example", "api:5:example", 1),
        ("127.0.0.1:8080:2", "127.0.0.1:8080", 2),
        (" api : 07 ", "api", 7),
        (f"api:{MOST_AT_ONCE}", "api", MOST_AT_ONCE),
    ],
)
def test_the_number_of_a_resource_stands_after_the_last_colon(
    text: str, name: str, most: int
) -> None:
    assert split_resource(text) == (name, most)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("api:", "no number"),
        (":5", "no name"),
        (":", "no number"),
        ("api:0", "0 is no whole number"),
        ("api:-1", "-1 is no whole number"),
        ("api:+1", r"\+1 is no whole number"),
        ("api:1.5", "1.5 is no whole number"),
        (f"api:{MOST_AT_ONCE + 1}", "from 1 to 1,000,000"),
    ],
)
def test_what_is_no_resource_is_said_to_be_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split_resource(text)


@pytest.mark.parametrize(
    ("key", "kind", "name"),
    [
        ("exclusive", "exclusive", None),
        ("mutex:site", "mutex", "site"),
        ("resource:api:example", "resource", "api:example"),
        ("instances:shop/fetch", "instances", "shop/fetch"),
        ("within:p:exclusive", "exclusive", None),
        ("within:p:resource:api:example", "resource", "api:example"),
    ],
)
def test_a_key_says_what_it_stands_for(key: str, kind: str, name: str | None) -> None:
    assert kind_and_name(key) == (kind, name)


def test_a_child_needs_all_that_none_of_its_ancestors_holds() -> None:
    assert limits_of_child((SITE, API), []) == (SITE, API)
    ancestors = [("p", ()), ("g", (Limit("mutex:other", 1),))]
    assert needs(limits_of_child((SITE, API), ancestors)) == (SITE, API)


def test_children_take_turns_in_the_place_of_the_nearest_ancestor_that_holds_it() -> None:
    ancestors = [("p", (Limit("exclusive", 1),)), ("g", (SITE,)), ("gg", (SITE,))]
    needed = needs(limits_of_child((SITE, API), ancestors))
    assert needed == (API, Limit("within:g:mutex:site", 1))


def test_a_grandchild_runs_in_the_place_that_was_lent_to_its_parent() -> None:
    parent = limits_of_child((SITE,), [("g", (SITE,))])
    child = limits_of_child((SITE,), [("p", parent), ("g", (SITE,))])
    assert needs(child) == (Limit("within:p:mutex:site", 1),)


def test_a_child_in_a_lent_place_is_one_at_a_time_whatever_the_limit() -> None:
    child = limits_of_child((API,), [("p", (API,))])
    assert needs(child) == (Limit("within:p:resource:api", 1),)


def test_a_child_that_needs_something_names_those_that_hold_something_and_wait_for_it() -> None:
    ancestors = [("p", ()), ("g", (SITE,)), ("gg", (API,))]
    needed = limits_of_child((DISK,), ancestors)
    assert waiting_for(needed) == {"g", "gg"}
    assert needs(needed) == (DISK,)
    assert limits_of_child((), ancestors) == ()
    assert waiting_for((SITE, API, DISK)) == frozenset()
