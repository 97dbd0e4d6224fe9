"""The browser of the tests: Chromium on the path, else the one that `playwright install chromium` fetched."""

from __future__ import annotations

import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")


def _fetched():
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as driver:
            path = driver.chromium.executable_path
    except Exception:  # no driver for this machine
        return None
    return path if Path(path).exists() else None


BROWSER = next(filter(None, map(shutil.which, NAMES)), None) or _fetched()
WHY_NOT = "no Chromium is on the path, nor one that `playwright install chromium` fetched"
