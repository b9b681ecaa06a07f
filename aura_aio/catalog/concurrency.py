"""Reads `meta.concurrency`: how runs of a task may stand beside other runs.

May import model, and of `catalog` what reads values.
"""

from typing import Final

from aura_aio.catalog.place import Place
from aura_aio.catalog.template_checks import is_template
from aura_aio.model.limits import EXCLUSIVE, MOST_AT_ONCE, split_resource
from aura_aio.model.plan import Concurrency

_CONCURRENT: Final = Concurrency().mode
_SHARED: Final = "shared"
MODES: Final = (_CONCURRENT, EXCLUSIVE, _SHARED)
CONCURRENCY_FIELDS: Final = ("mode", "resources", "mutex_group", "max_instances")
_EXPECTED: Final = (
    f"one of {', '.join(MODES)}, a list of resources, "
    f"or a mapping of {', '.join(CONCURRENCY_FIELDS)}"
)
_NEEDS_RESOURCES: Final = (
    "The mode 'shared' needs 'resources': what runs share, as in [api, 'db:3']."
)


def read_concurrency(place: Place) -> Concurrency:
    """A mode alone, the resources of a task that is `shared` alone, or a mapping of all that
    there is.
    """
    if place.is_list():
        return Concurrency(_SHARED, resources=_read_resources(place))
    if place.is_text():
        mode = place.choice(MODES)
        if mode == _SHARED:
            place.fault(_NEEDS_RESOURCES)
        return Concurrency(mode or _CONCURRENT)
    fields = place.fields(CONCURRENCY_FIELDS, expected=_EXPECTED)
    return Concurrency(
        mode=_read_mode(place, fields),
        resources=_read_resources(fields["resources"]) if "resources" in fields else (),
        mutex_group=_read_name(fields["mutex_group"]) if "mutex_group" in fields else None,
        max_instances=_read_count(fields["max_instances"]) if "max_instances" in fields else None,
    )


def _read_mode(place: Place, fields: dict[str, Place]) -> str:
    resources = fields.get("resources")
    if "mode" not in fields:
        return _CONCURRENT if resources is None else _SHARED
    mode = fields["mode"].choice(MODES)
    if mode == _SHARED and resources is None:
        place.lacks("resources", _NEEDS_RESOURCES)
    if mode not in (_SHARED, None) and resources is not None:
        resources.fault(f"'resources' are for the mode 'shared', not for {mode!r}.")
    return mode or _CONCURRENT


def _read_resources(place: Place) -> tuple[str, ...]:
    texts: dict[str, str] = {}
    for item in [place] if place.is_text() else place.items("a resource, or a list of resources"):
        text = _read_name(item)
        if text is None:
            continue
        try:
            name, _ = split_resource(text)
        except ValueError as error:
            item.fault(f"Expected name or name:N, N runs at a time, but {error}.")
            continue
        if name in texts:
            item.fault(f"The resource {name!r} is given twice.")
        texts[name] = text
    if place.is_list() and not place.items():
        place.fault("Expected at least one resource.")
    return tuple(texts.values())


def _read_name(place: Place) -> str | None:
    name = place.text("a name")
    if name is None:
        return None
    if is_template(name):
        place.fault("This is the same for every run of the task: it takes no templates.")
        return None
    return name.strip()


def _read_count(place: Place) -> int | None:
    count = place.integer(minimum=1)
    if count is not None and count > MOST_AT_ONCE:
        place.fault(f"Expected at most {MOST_AT_ONCE:,}.")
    return count
