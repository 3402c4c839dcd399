"""A headless Chromium, spoken to by its DevTools protocol through two pipes: no driver, no port, no package of Python's."""

import base64
import json
import os
import select
import subprocess
import time


class Browser:
    """command: what chromium is started with, as a list that ends with its own arguments."""

    def __init__(self, command, profile, deadline=60):
        to_browser, our_end = os.pipe()
        from_browser, their_end = os.pipe()
        arguments = [
            *command, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}",
        ]
        wrapper = ["bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{their_end}', "browser", *arguments]
        self.process = subprocess.Popen(wrapper, pass_fds=(to_browser, their_end), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(their_end)
        self.write_to, self.read_from = our_end, from_browser
        self.deadline = deadline
        self.number = 0
        self.buffer = b""
        self.events = []

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def call(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.write_to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + self.deadline
        while True:
            answer = self._receive(end - time.monotonic())
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _receive(self, limit):
        while b"\0" not in self.buffer:
            if limit <= 0 or not select.select([self.read_from], [], [], limit)[0]:
                raise TimeoutError("the browser does not answer")
            data = os.read(self.read_from, 1 << 20)
            if not data:
                raise RuntimeError("the browser has ended")
            self.buffer += data
        one, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(one)

    def page(self, width=390, height=844):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Network", "Log", "Accessibility"):
            page.call(f"{domain}.enable")
        page.size(width, height)
        return page


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def size(self, width, height, scale=2):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=True)

    def letters(self, pixels):
        """As large as whoever uses the browser has chosen; 16 if he has not."""
        self.call("Page.setFontSizes", fontSizes={"standard": pixels})

    def media(self, **features):
        """prefers_color_scheme="dark", …"""
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def open(self, url):
        self.call("Page.navigate", url=url)

    def run(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def text(self, element):
        return self.run(f'document.getElementById("{element}").textContent.trim()')

    def wait(self, script, what, limit=20):
        end = time.monotonic() + limit
        while True:
            try:
                if self.run(f"Boolean({script})"):
                    return
            except RuntimeError:  # the page is just being loaded
                pass
            if time.monotonic() > end:
                raise AssertionError(f"not within {limit} s: {what}; the page says: {self.run('document.body.innerText')!r}")
            time.sleep(0.1)

    def tap(self, element):
        place = self.run(f'(() => {{ const box = document.getElementById("{element}").getBoundingClientRect();'
                         " return [box.x + box.width / 2, box.y + box.height / 2]; })()")
        point = {"x": place[0], "y": place[1]}
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[point])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def key(self, key, code, number, text=""):
        common = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def accessible(self):
        """What a screen reader is told: (role, name, properties) of each node that it is not to skip."""
        nodes = []
        for node in self.call("Accessibility.getFullAXTree")["nodes"]:
            if node.get("ignored"):
                continue
            properties = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
            nodes.append((node["role"].get("value"), node.get("name", {}).get("value", ""), properties))
        return nodes

    def picture(self, file):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(file, "wb") as out:
            out.write(base64.b64decode(data))
