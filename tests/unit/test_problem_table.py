"""Every error has one place: a status for clients, the start of the server, or a step of a run.

Imports aura_aio.api and model.
"""

from collections import Counter
from collections.abc import Iterator

from aura_aio.api.problems import AT_START_ONLY, TABLE, TO_STEPS_ONLY
from aura_aio.model.errors import AuraError


def below(error: type[AuraError]) -> Iterator[type[AuraError]]:
    """Every class that is derived from `error`."""
    for each in error.__subclasses__():
        yield each
        yield from below(each)


def test_every_error_has_one_place() -> None:
    ours = [each for each in below(AuraError) if each.__module__.startswith("aura_aio.")]
    places = Counter([*TABLE, *AT_START_ONLY, *TO_STEPS_ONLY])
    assert {each.__name__: places[each] for each in ours if places[each] != 1} == {}
    assert len(ours) > 30


def test_every_error_has_a_code_of_its_own() -> None:
    codes = Counter(each.code for each in below(AuraError))
    assert [code for code, count in codes.items() if count > 1] == []
