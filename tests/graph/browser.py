"""Browser: Chromium, driven through its debugging pipe.  Source: the Chrome DevTools Protocol."""

import contextlib
import json
import os
import shutil
import subprocess
import sys

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
#: a program that becomes another one, whose files 3 and 4 are the two given
_AS_3_AND_4 = """
import os, sys
kept = [os.dup(int(fd)) for fd in sys.argv[1:3]]
spare = [os.dup2(fd, 60 + i) for i, fd in enumerate(kept)]
for i, fd in enumerate(spare):
    os.dup2(fd, 3 + i)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Page:
    """A page in a browser of its own.  `errors` holds what its console and its scripts complained about."""

    def __init__(self, send, receive):
        self._send, self._receive, self._last, self._session, self.errors = send, receive, 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for name in ("Page", "Runtime", "Log"):
            self.call(f"{name}.enable")

    def call(self, method, **parameters):
        """Call a method of the protocol and wait for its answer."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        self._send(message if self._session is None else {**message, "sessionId": self._session})
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _note(self, event):
        kind, given = event.get("method"), event.get("params", {})
        if kind == "Runtime.exceptionThrown" or (kind == "Log.entryAdded" and given["entry"]["level"] == "error") or (
                kind == "Runtime.consoleAPICalled" and given["type"] in ("error", "warning")):
            self.errors.append(json.dumps(given))

    def open(self, path, width=1400, height=900):
        """Show a file."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=path.as_uri())
        while self.value("document.readyState") != "complete":
            pass

    def value(self, expression):
        """The value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def click(self, selector):
        """Press the mouse in the middle of an element."""
        x, y = self.value(f"(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector({json.dumps(selector)})"
                          ".getBoundingClientRect())")
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def mouse(self, kind, x, y, **more):
        """Send an event of the mouse."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **{"button": "left", "clickCount": 1, **more})

    def type(self, text):
        """Send text to what has the focus."""
        self.call("Input.insertText", text=text)


@contextlib.contextmanager
def browser(profile):
    """A Page of a browser that keeps its files in the folder `profile`."""
    to_browser, ours = os.pipe()
    theirs, from_browser = os.pipe()

    running = subprocess.Popen(
        [sys.executable, "-c", _AS_3_AND_4, str(to_browser), str(from_browser), CHROMIUM, "--headless", "--no-sandbox",
         "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={profile}",
         "--host-resolver-rules=MAP * ~NOTFOUND"],
        pass_fds=(to_browser, from_browser), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(to_browser)
    os.close(from_browser)
    left = b""

    def send(message):
        os.write(ours, json.dumps(message).encode() + b"\0")

    def receive():
        nonlocal left
        while b"\0" not in left:
            more = os.read(theirs, 1 << 16)
            assert more, "the browser has ended"
            left += more
        message, _, left = left.partition(b"\0")
        return json.loads(message)

    try:
        yield Page(send, receive)
    finally:
        running.kill()
        running.wait()
        os.close(ours)
        os.close(theirs)
