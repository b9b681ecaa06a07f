"""Actions that are found by their decorator, without an entry in the manifest."""

from aura_aio import action_info

from ..services import ledger


@action_info(name="open_session", public=True)
async def open_session(user: str) -> dict:
    """Open a session."""
    return {"user": user, "days": sorted(ledger.ORDERS)}


@action_info(name="close_session", public=True)
async def close_session(user: str) -> bool:
    """Close a session."""
    print(f"{user} has left")
    return True
