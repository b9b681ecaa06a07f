"""What clients can no longer send, or can no longer understand: two schemas compared.

Imports the contract's references only. Knows the words that `checks` lets into the document.
"""

from collections.abc import Iterator
from enum import Enum

from aura_aio.contract.references import Json, component_name, mapping, resolve

ONLY_WORDS = frozenset({"description", "example", "examples"})
"""What may change at will."""
_LOWER, _UPPER = ("minimum", "minLength", "minItems"), ("maximum", "maxLength", "maxItems")
_BOUNDS = {
    **dict.fromkeys(_LOWER, 1),
    **dict.fromkeys((*_UPPER, "maxProperties"), -1),
}
"""Which way a bound gets narrower: up or down."""
_EXACT = ("format", "pattern", "propertyNames")


class Way(Enum):
    """Who reads it: what is sent must not get narrower, what is answered not wider."""

    SENT = "sent"
    ANSWERED = "answered"


class Pair:
    """A schema before and after, in their documents, as they travel."""

    def __init__(self, before: Json, after: Json, way: Way) -> None:
        self.before = before
        self.after = after
        self.way = way
        self._seen: set[tuple[str, str]] = set()

    def breaks(self, before: Json, after: Json, place: str) -> Iterator[tuple[str, str]]:
        """Everything that breaks, as (the component, or `place`; what), each component once."""
        old_name, new_name = component_name(before), component_name(after)
        if old_name is not None and new_name is not None:
            if (old_name, new_name) in self._seen:
                return
            self._seen.add((old_name, new_name))
        place = old_name or place
        old, new = resolve(self.before, before), resolve(self.after, after)
        if old.get("type") != new.get("type"):
            yield place, f"is {_kind(new)}, and was {_kind(old)}"
            return
        for word, what in self._words(old, new):
            yield place, f"{word}: {what}"
        yield from self._properties(old, new, place)
        for word in ("items", "additionalProperties"):
            inner = mapping(old.get(word)), mapping(new.get(word))
            if any(inner):
                yield from self.breaks(*inner, f"{place}.{word}")

    def _words(self, old: Json, new: Json) -> Iterator[tuple[str, str]]:
        """What breaks in the words of one schema."""
        sent = self.way is Way.SENT
        was, now = old.get("enum"), new.get("enum")
        if sent and was and now and (gone := set(was) - set(now)):
            yield "enum", f"{', '.join(sorted(map(str, gone)))} is gone"
        elif sent and now and not was:
            yield "enum", "only some words are taken"
        elif not sent and was and not now:
            yield "enum", "is gone: any word may be answered"
        for word in _BOUNDS:
            if self._bound(word, old.get(word), new.get(word)):
                yield word, f"is {new.get(word, 'gone')}, and was {old.get(word, 'none')}"
        for word in _EXACT:
            was, now = old.get(word), new.get(word)
            if was != now and not (now is None if sent else was is None):
                yield word, f"is {now or 'gone'}, and was {was or 'none'}"
        if sent and old.get("default") != new.get("default"):
            yield "default", f"is {new.get('default')!r}, and was {old.get('default')!r}"
        if sent and "not" in new and new["not"] != old.get("not"):
            yield "not", f"is {new['not']}"

    def _bound(self, word: str, old: float | None, new: float | None) -> bool:
        """Whether what is sent got narrower, or what is answered wider."""
        if old == new:
            return False
        tight, loose = (new, old) if self.way is Way.SENT else (old, new)
        if tight is None:
            return False
        return loose is None or (tight - loose) * _BOUNDS[word] > 0

    def _properties(self, old: Json, new: Json, place: str) -> Iterator[tuple[str, str]]:
        was, now = mapping(old.get("properties")), mapping(new.get("properties"))
        for name in was:
            if name not in now:
                yield place, f"{name} is gone"
            else:
                yield from self.breaks(was[name], now[name], f"{place}.{name}")
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        if self.way is Way.SENT:
            for name in sorted(needs - needed):
                yield place, f"{name} must be sent"
        else:
            for name in sorted((needed - needs) & now.keys()):
                yield place, f"{name} is not always there"


def _kind(schema: Json) -> str:
    return str(schema.get("type", "of any type"))
