"""A headless Chromium, spoken to through a pair of pipes; nothing but the browser is needed."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import signal

NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 60


def find_browser():
    """Return the path of a Chromium; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page of a headless Chromium, which is shown documents one after the other."""

    def __init__(self, path, profile):
        hear, told = os.pipe()
        answers, say = os.pipe()
        # Chromium reads from 3 and writes to 4, messages that end in NUL.
        self._pid = os.posix_spawn(
            path,
            [
                path,
                "--headless=new",
                "--no-sandbox",  # a container's root has none; only our own pages are shown
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-extensions",
                "--disable-background-networking",
                "--no-first-run",
                "--remote-debugging-pipe",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, hear, 3),
                (os.POSIX_SPAWN_DUP2, say, 4),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setpgroup=0,
        )
        os.close(hear)
        os.close(say)
        self._out, self._in = told, answers
        self._rest = b""
        self._count = 0
        self._session = None
        self._heard = []
        self.complaints = []
        """What the console was told since a document was opened."""

    def start(self):
        """Find the page that is open, and listen to its console."""
        (page, *_) = [
            each for each in self.ask("Target.getTargets")["targetInfos"] if each["type"] == "page"
        ]
        attached = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **params):
        """Send a command and return its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._count:
            self._note(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def show(self, path, *, width, scheme, height=900):
        """Open a file as a window of a width does, in a light or dark scheme."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", features=features)
        self.complaints, self._heard = [], []
        self.ask("Page.navigate", url=path.as_uri())
        while "Page.loadEventFired" not in self._heard:
            self._note(self._read())

    def evaluate(self, expression):
        """Return the value of a JavaScript expression on the page, if it has one."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    def picture(self):
        """Return the whole page as PNG."""
        found = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(found["data"])

    def close(self):
        """End the browser and all its processes."""
        with contextlib.suppress(OSError):
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._out)
        os.close(self._in)

    def _read(self):
        """Return the next message; a browser that says nothing for a minute has failed."""
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], SECONDS)
            piece = os.read(self._in, 1 << 16) if ready else b""
            assert piece, "the browser says nothing more"
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def _note(self, event):
        self._heard.append(event.get("method"))
        match event:
            case {"method": "Log.entryAdded", "params": {"entry": entry}}:
                self.complaints.append(entry["text"])
            case {"method": "Runtime.consoleAPICalled", "params": params}:
                self.complaints.append(str(params["args"]))
            case {"method": "Runtime.exceptionThrown", "params": params}:
                self.complaints.append(str(params["exceptionDetails"]))
