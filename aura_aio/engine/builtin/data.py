"""Built-in actions on data that other steps gave: `json.query`.

May import the standard library; jmespath is imported when it is first needed.
"""

from typing import Any, Final


def query(data: Any, query: str) -> Any:
    """What a JMESPath expression finds in `data`: null if it finds nothing.

    `query` is written as on jmespath.org.

    Raises:
        JMESPathError: the expression is none (`ParseError`), or does not fit the data.
    """
    import jmespath  # noqa: PLC0415 - most workers never need it

    return jmespath.search(query, data)


ACTIONS: Final = {"json.query": query}
