"""What must hold of the `security` of the operations, from which the server reads who may do what.

May import the rest of `contract` and `model` only.
"""

from collections.abc import Iterator
from typing import Final

from aura_aio.contract.references import Json, mapping
from aura_aio.model.access import Scope

TOKEN: Final = "token"  # noqa: S105 - the name of a scheme
TICKET: Final = "ticket"
NARROWED: Final = "x-aura-narrowed"
"""Marks an operation that holds a token narrowed to plans to these, though its path names none."""

_SCHEMES: Final = {TOKEN: "http", TICKET: "apiKey"}
_LIKE: Final = "as in security: [{}, {token: [read]}]"

Fault = tuple[str, str]


def security_faults(document: Json, place: str, path: str, operation: Json) -> Iterator[Fault]:
    """Every fault of one operation, as (place, message)."""
    security = operation.get("security")
    if security is None:
        if path.startswith(("/api/", "/ws/")):
            yield place, f"has no security: say which scope it needs, {_LIKE}"
        if NARROWED in operation:
            yield place, f"needs no token, so {NARROWED} has no meaning"
        return
    yield from _requirements(document, place, security)
    if "401" not in operation["responses"]:
        yield place, "does not list 401: it needs a token"
    if operation.get(NARROWED, True) is not True:
        yield place, f"{NARROWED} is true or absent"


def _requirements(document: Json, place: str, security: object) -> Iterator[Fault]:
    """Its form is fixed, so that nobody has to guess what a combination would mean."""
    listed = [mapping(each) for each in security] if isinstance(security, list) else []
    names = [list(each) for each in listed]
    if names not in ([[], [TOKEN]], [[], [TOKEN], [TICKET]]):
        yield (
            f"{place}.security",
            f"must be an open server, a token, and perhaps a ticket, in this order, {_LIKE}",
        )
        return
    scopes = [each[scheme] for each, (scheme,) in zip(listed[1:], names[1:], strict=True)]
    if any(each not in [[scope] for scope in Scope] for each in scopes):
        words = ", ".join(Scope)
        yield f"{place}.security", f"each needs one scope of {words}, not {scopes}"
    elif scopes[1:] and scopes[0] != scopes[1]:
        yield f"{place}.security", "the ticket needs the scope that the token needs"
    schemes = mapping(mapping(document.get("components")).get("securitySchemes"))
    for (scheme,) in names[1:]:
        if mapping(schemes.get(scheme)).get("type") != _SCHEMES[scheme]:
            yield (
                f"components.securitySchemes.{scheme}",
                f"is missing, or not of the type {_SCHEMES[scheme]}",
            )
