"""Hides the values of secrets in everything that leaves a run.

May import model and `catalog.secret_inputs`.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec

from aura_aio.catalog.secret_inputs import MASK
from aura_aio.model import json as model_json
from aura_aio.model.log import LogLine
from aura_aio.model.run import RunError, StepRecord

SHORTEST: Final = 4
"""Characters; what is shorter cannot be hidden by its value: it would be found everywhere."""


class Mask:
    """Knows the secrets of an attempt, and puts `***` in their place, the longest first.

    A secret is found as it is, and as it looks within JSON, a URL, HTML or a `repr`; of one with
    several lines each line counts, too. May be used from any thread.
    """

    def __init__(self) -> None:
        self.values: tuple[Any, ...] = ()
        """What was added."""
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, values: Iterable[Any]) -> None:
        """Hide `values` from now on: texts and numbers; anything else is none that can be found."""
        added = tuple(values)
        forms = {form for value in added for text in _texts(value) for form in _forms(text)}
        if not forms <= self._forms:
            self.values += added
            self._forms |= forms
            longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def found_in(self, text: str) -> tuple[Any, ...]:
        """The secrets that are in `text`."""
        return tuple(
            value
            for value in self.values
            if any(form in text for each in _texts(value) for form in _forms(each))
        )

    def text(self, text: str) -> str:
        """`text` without secrets."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def json(self, text: bytes) -> bytes:
        """A JSON text without secrets in its values and keys."""
        if self._pattern is None or self._pattern.search(text.decode()) is None:
            return text
        return model_json.dumps(self.data(model_json.loads(text)))

    def data(self, value: Any) -> Any:
        """Plain data without secrets, also in keys."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.data(key): self.data(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(each) for each in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            shown = model_json.dumps(value).decode()
            return MASK if self._pattern.fullmatch(shown) else value
        return value

    def error(self, error: RunError | None) -> RunError | None:
        """An error without secrets."""
        if self._pattern is None or error is None:
            return error
        return msgspec.structs.replace(
            error,
            message=self.text(error.message),
            traceback=None if error.traceback is None else self.text(error.traceback),
        )

    def line(self, line: LogLine) -> LogLine:
        """A log line without secrets."""
        if self._pattern is None:
            return line
        return msgspec.structs.replace(
            line, message=self.text(line.message), data=self.data(line.data)
        )

    def record(self, record: StepRecord) -> StepRecord:
        """What a step reports, without secrets."""
        if self._pattern is None:
            return record
        return msgspec.structs.replace(
            record,
            output=None if record.output is None else self.json(record.output),
            error=self.error(record.error),
        )


def _texts(value: Any) -> Iterator[str]:
    """What a secret looks like: the whole, and each of its lines."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = model_json.dumps(value).decode()
    if isinstance(value, str):
        yield value
        yield from (line.strip() for line in value.splitlines())


def _forms(text: str) -> Iterator[str]:
    if len(text) < SHORTEST:
        return
    escaped = json.dumps(text)[1:-1]
    escaped_less = json.dumps(text, ensure_ascii=False)[1:-1]
    yield text
    yield from (escaped, escaped_less)
    yield from (json.dumps(escaped)[1:-1], json.dumps(escaped_less, ensure_ascii=False)[1:-1])
    yield repr(text)[1:-1]
    yield from (quote(text), quote(text, safe=""), quote_plus(text))
    yield html.escape(text)
