"""Times as they are written on the wire.

Imports pytest and aura_aio's model.
"""

from datetime import UTC, datetime

import pytest

from aura_aio.model.clock import rfc3339


@pytest.mark.parametrize(
    "text",
    [
        "0018-01-02T06:07:04.000000Z",
        "0730-04-03T17:01:59.250000Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00.000000Z",
        "2026-01-31T12:00:00.000001Z",
        "9999-12-31T23:59:58.000000Z",
    ],
)
def test_a_time_is_written_with_four_digits_of_the_year(text: str) -> None:
    seconds = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp()
    assert rfc3339(seconds) == text
