"""Where a Chromium is on this machine: one that is installed already.

Imports the standard library only.
"""

import os
import shutil
from pathlib import Path

_ON_THE_PATH = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
_ELSEWHERE = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    os.path.expandvars(r"%ProgramFiles%\Google\Chrome\Application\chrome.exe"),
    os.path.expandvars(r"%ProgramFiles(x86)%\Microsoft\Edge\Application\msedge.exe"),
)

NO_CHROMIUM = (
    "This needs Chromium, Chrome or Edge, and none was found on the PATH or where they are "
    "usually installed (Debian and Ubuntu: apt install chromium)."
)


def chromium() -> str | None:
    """The program, or None."""
    for name in _ON_THE_PATH:
        if found := shutil.which(name):
            return found
    return next((place for place in _ELSEWHERE if Path(place).is_file()), None)
