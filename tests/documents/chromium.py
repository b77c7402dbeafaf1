"""The browser that the page is tried in: Debian's Chromium, driven by playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from local_system import debian_packages
from local_system.progress import Silence

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_REMEDY = "install one (apt-get install chromium)"
_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A machine without internet: no name leads anywhere, and no address but this machine's does.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def find() -> Path | None:
    """Return the browser on this machine."""
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    return Path(found) if found else None


def find_or_install(log: Path) -> Path:
    """Return the browser on this machine; install it by apt when there is none.

    Raises:
        LocalSystemError: there is none and it cannot be installed; names what to do.
    """
    return debian_packages.found_or_installed(
        find, ("chromium",), "Chromium", _REMEDY, log, Silence()
    )


@contextmanager
def running(program: Path) -> Iterator[Browser]:
    """Start the browser with a new profile, and end it."""
    # Its sandbox does not work for root, who runs the tests in containers.
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        try:
            yield browser
        finally:
            browser.close()
