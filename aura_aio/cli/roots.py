"""Where the plans of this machine are, for commands that need no server.

May import settings and its table and `cli`.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from aura_aio.cli.failure import Failure
from aura_aio.model.errors import SettingsError
from aura_aio.settings_table import load_settings


def plan_roots() -> Sequence[Path]:
    """The folders of plans that the settings name.

    Raises:
        Failure: the settings are wrong.
    """
    try:
        return [Path(root) for root in load_settings({}, os.environ).plans.plans]
    except SettingsError as error:
        raise Failure(str(error)) from error
