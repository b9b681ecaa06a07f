"""Which of a run's inputs are secret (`secret: true`): what may be shown of them, and what not.

May import model and the standard library only. On the way of every submitted run: keep it fast.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aura_aio.model.plan import InputSpec
from aura_aio.model.pointers import below

MASK: Final = "***"
"""What is shown in place of a secret."""


class Parted(NamedTuple):
    """The inputs of a run with a mask for each secret, and the whole of those that hold one."""

    shown: dict[str, Any]
    hidden: dict[str, Any]


def part(specs: Sequence[InputSpec], inputs: dict[str, Any], also: Collection[str] = ()) -> Parted:
    """Take what is secret out of checked `inputs`; `also` are names of inputs that are secret
    whatever their specs say.
    """
    if not specs:
        return Parted(inputs, {})
    hidden = {
        spec.name: inputs[spec.name]
        for spec in specs
        if spec.name in inputs and (spec.name in also or has_secret(spec))
    }
    if not hidden:
        return Parted(inputs, hidden)
    by_name = {spec.name: spec for spec in specs}
    masked = {
        name: MASK if name in also else _masked(by_name[name], value)
        for name, value in hidden.items()
    }
    return Parted(inputs | masked, hidden)


def secret_values(
    specs: Sequence[InputSpec], hidden: Mapping[str, Any], known: Collection[str] = ()
) -> Iterator[Any]:
    """The secret texts and numbers in the `hidden` inputs of a run; of an input whose spec has no
    secret in it, all, unless the secrets in it are `known` otherwise.
    """
    by_name = {spec.name: spec for spec in specs}
    for name, value in hidden.items():
        spec = by_name.get(name)
        if spec is not None and has_secret(spec):
            yield from _secrets(spec, value)
        elif name not in known:
            yield from _leaves(value)


def faults_of_secrets(
    specs: Sequence[InputSpec], inputs: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What is wrong with `inputs` that are to be kept as they are: pairs (JSON Pointer, fault) for
    those that hold a secret.
    """
    return [
        (
            below("", spec.name),
            "is secret, and would be kept here for all to read: use secrets.NAME in the task",
        )
        for spec in specs
        if any(value is not None for value in _secrets(spec, inputs.get(spec.name)))
    ]


def has_secret(spec: InputSpec) -> bool:
    """Whether an input is secret, or a part of it."""
    return (
        spec.secret
        or (spec.item is not None and has_secret(spec.item))
        or (spec.properties is not None and any(map(has_secret, spec.properties)))
    )


def _masked(spec: InputSpec, value: Any) -> Any:
    if spec.secret:
        return MASK
    if spec.item is not None and isinstance(value, list):
        return [_masked(spec.item, each) for each in value]
    if spec.properties is not None and isinstance(value, dict):
        inner = {each.name: each for each in spec.properties}
        return {
            key: _masked(inner[key], each) if key in inner else each for key, each in value.items()
        }
    return value


def _secrets(spec: InputSpec, value: Any) -> Iterator[Any]:
    if spec.secret:
        yield from _leaves(value)
    elif spec.item is not None and isinstance(value, list):
        for each in value:
            yield from _secrets(spec.item, each)
    elif spec.properties is not None and isinstance(value, dict):
        for inner in spec.properties:
            if inner.name in value:
                yield from _secrets(inner, value[inner.name])


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value
