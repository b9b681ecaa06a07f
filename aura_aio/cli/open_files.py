"""How many files the server may have open: each connection is one.

May import the standard library only.
"""

import sys

if sys.platform != "win32":
    import resource

_ENOUGH = 65_536
"""More monitors than a server can serve; some systems look at every number up to the limit."""


def allow_many_open_files() -> None:
    """Raise the soft limit of this process, often 256 or 1,024, as far as the hard one allows.

    Windows has no such limit. What is started from here inherits it.
    """
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(_ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
