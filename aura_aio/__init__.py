"""Aura: runs automation plans. What the actions of a plan import stands here.

May import `engine.context` and `engine.declare` only, so that it stays light.
"""

from aura_aio.engine.context import ActionContext
from aura_aio.engine.declare import action, action_info

__version__ = "0.1.0"

__all__ = ["ActionContext", "__version__", "action", "action_info"]
