"""The downgrade from OpenAPI 3.1 to 3.0.3, for tools that know nothing newer.

May import the standard library and the rest of `contract` only.
"""

from copy import deepcopy
from typing import Any, cast

from aura_aio.contract.references import REF, operations, resolve, walk

SCOPE = "x-aura-scope"


def downgrade(document: dict[str, Any]) -> dict[str, Any]:
    """Turn `document`, a tree of the caller's own, into OpenAPI 3.0.3 in place, and return it.

    What 3.0.3 has no word for is left out (`info.summary`, `propertyNames`, `contentSchema`) where
    the prose of the description says it too. The scope of an operation, for which 3.0.3 has a word
    with OAuth only, becomes its `x-aura-scope`. What a callback shares with others stands in each.
    It knows the words that `checks` lets into the document, no others.
    """
    document["openapi"] = "3.0.3"
    document["info"].pop("summary", None)
    _spread_callbacks(document)
    for node in [cast("dict[str, Any]", found) for _, found in walk(document)]:
        for word in ("propertyNames", "contentMediaType", "contentSchema"):
            node.pop(word, None)
        if isinstance(node.get(REF), str) and len(node) > 1:
            # Beside a reference 3.0.3 ignores everything, so the description moves around it.
            node["allOf"] = [{REF: node.pop(REF)}]
    for _, _, _, found in operations(document):
        operation = cast("dict[str, Any]", found)
        for requirement in operation.get("security", ()):
            for scheme, (scope,) in requirement.items():
                requirement[scheme] = []
                operation[SCOPE] = scope
    return document


def _spread_callbacks(document: dict[str, Any]) -> None:
    for _, _, _, operation in operations(document):
        for callback in operation.get("callbacks", {}).values():
            for expression, item in callback.items():
                callback[expression] = deepcopy(resolve(document, item))
    document["components"].pop("pathItems", None)
