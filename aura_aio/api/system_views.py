"""What a server is, and what its start has found, as answers.

May import scheduler and `api.views`.
"""

import aura_aio
from aura_aio.api.views import Answer, time
from aura_aio.scheduler.about import About, Recovered, Recovery


def capabilities(about: About, *, needs_token: bool, hot_reload: bool) -> Answer:
    """Capabilities."""
    return {
        "version": aura_aio.__version__,
        "store": about.store,
        "dispatcher": about.dispatcher,
        "limits": about.limits,
        "features": {
            "access_tokens": needs_token,
            "cors": bool(about.cors_origins),
            "hot_reload": hot_reload,
            "shell": about.allows_shell,
        },
    }


def recovery(found: Recovery) -> Answer:
    """Recovery."""
    return {
        "at": time(found.at),
        "duration_sec": found.duration_sec,
        "resumed": _recovered(found.resumed),
        "restarted": _recovered(found.restarted),
        "failed": _recovered(found.failed),
        "cancelled": _recovered(found.cancelled),
    }


def _recovered(runs: Recovered) -> Answer:
    return {"count": runs.count, "cids": list(runs.cids)}
