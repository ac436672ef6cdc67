"""A headless Chromium that opens pages and says how long that took, by the WebDriver protocol alone."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PROGRAMS = ("chromium", "chromedriver")  # Debian: chromium, chromium-driver
START_SECONDS = 60


class Browser:
    """A new Chromium with an empty profile. Use it as a context manager."""

    def __init__(self, width: int, height: int, *, phone: bool = False) -> None:
        """The size of the window in CSS pixels; `phone`: with a touch screen, and what a page's viewport tag says
        counts."""
        self._size = width, height
        self._phone = phone

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._driver = subprocess.Popen(
            [shutil.which(PROGRAMS[1]) or PROGRAMS[1], "--port=0"], stdout=subprocess.PIPE, text=True
        )
        assert self._driver.stdout is not None
        port = 0
        for line in self._driver.stdout:
            if "was started successfully on port" in line:
                port = int(line.split("port")[1].strip(" .\n"))
                break
        self._address = f"http://127.0.0.1:{port}/session"
        width, height = self._size
        arguments = [*FLAGS, f"--user-data-dir={self._profile.name}", f"--window-size={width},{height}"]
        options: dict[str, Any] = {"args": arguments, "binary": shutil.which(PROGRAMS[0])}
        if self._phone:
            metrics = {"width": width, "height": height, "pixelRatio": 2, "touch": True, "mobile": True}
            options["mobileEmulation"] = {"deviceMetrics": metrics}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
        made = self._call("", {"capabilities": {"alwaysMatch": wanted}})
        self._address += f"/{made['sessionId']}"
        self._call("/url", {"url": "data:text/html,<title>a page that is open already</title>"})
        self.run_async(PAINTED)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._call("", None, method="DELETE")
        finally:
            self._driver.terminate()
            self._driver.wait()
            if self._driver.stdout is not None:
                self._driver.stdout.close()
            self._profile.cleanup()

    def open(self, page: Path) -> float:
        """Seconds until the page is loaded, its scripts have run and its pictures are decoded and painted."""
        started = time.perf_counter()
        self._call("/url", {"url": page.resolve().as_uri()})
        self.run_async(PAINTED)
        return time.perf_counter() - started

    def run(self, script: str) -> Any:
        """What a function with this body returns in the page."""
        return self._call("/execute/sync", {"script": script, "args": []})

    def run_async(self, script: str) -> Any:
        """The same of a function whose last argument is called with the result."""
        return self._call("/execute/async", {"script": script, "args": []})

    def screenshot(self, path: Path) -> None:
        """Writes what is seen as a PNG file."""
        path.write_bytes(base64.b64decode(self._call("/screenshot", None, method="GET")))

    def _call(self, path: str, body: dict[str, Any] | None, *, method: str = "POST") -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._address + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from None


PAINTED = """
const done = arguments[arguments.length - 1];
Promise.all(Array.from(document.images, (image) => image.decode().catch(() => {}))).then(
  () => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));
"""
