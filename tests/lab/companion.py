"""The page of the scenario `companion`, in a browser on the phone. Arguments: LAB_ID, the pids that keep selen's and
jacinth's namespaces, the page's address, the link, somebody else's link, a folder for the browser.

With SHOTS=FOLDER it takes pictures.
"""

import os
import subprocess
import sys
import time

from browser import Browser

lab_id, selen, jacinth, origin, link, others_link, profile = sys.argv[1:]
shots = os.environ.get("SHOTS")


def on(keeper, *command):
    return subprocess.run(["nsenter", "-t", keeper, "--net", "--mount", "--", *command], capture_output=True, text=True, timeout=30)


def is_carried():
    return on(selen, "ping", "-q", "-c", "1", "-W", "1", "10.44.0.1").returncode == 0


def peers():
    return on(jacinth, "wg", "show", "wg0", "peers").stdout.split()


def cable(state):
    subprocess.run(["ip", "-n", f"lab{lab_id}-wild", "link", "set", "selen", state], check=True, timeout=10)


def step(text):
    print(f"- {text}", flush=True)


def until(what, test, limit=20):
    end = time.monotonic() + limit
    while not test():
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        time.sleep(0.2)


def shot(page, name):
    if not shots:
        return
    page.size(360, 740)
    for scheme in ("light", "dark"):
        page.media(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
        time.sleep(0.4)
        page.picture(f"{shots}/{name}-{scheme}.png")
    page.media()
    page.letters(32)
    time.sleep(0.4)
    page.picture(f"{shots}/{name}-large.png")
    page.letters(16)
    page.size(390, 844)


IS_UP = 'document.getElementById("state").textContent === "Up"'
IS_DOWN = 'document.getElementById("state").textContent === "Down"'


def is_seen(element):
    return f'document.getElementById("{element}").checkVisibility({{ visibilityProperty: true }})'


def focus(page):
    return page.run('(document.activeElement.closest("main")?.id ?? "-") + " " + (document.activeElement.id || document.activeElement.tagName)')


# The lowest contrast of any text that is to be seen, after WCAG 2.
CONTRAST = """(() => {
  const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const numbers = (css) => css.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = numbers(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; } };
  let worst = [99, ""];
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
    const [a, b] = [luminance(numbers(getComputedStyle(e).color)), luminance(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, e.outerHTML.slice(0, 80)];
  }
  return worst;
})()"""


def check_accessibility(page, checked):
    nodes = page.accessible()
    switches = [(name, properties) for role, name, properties in nodes if role == "switch"]
    assert len(switches) == 1, nodes
    name, properties = switches[0]
    assert name == "Tunnel of selen", name
    assert str(properties.get("checked")).lower() == checked, properties
    assert [name for role, name, _ in nodes if role == "heading"] == ["Tunnel of selen"], nodes
    roles = {role for role, _, _ in nodes}
    assert {"status", "alert", "main"} <= roles, roles
    nameless = [node for node in nodes if node[0] in ("button", "switch", "textbox", "link", "image") and not node[1]]
    assert not nameless, nameless


def check_looks(page):
    for scheme in ("light", "dark"):
        page.media(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
        time.sleep(0.1)
        ratio, where = page.run(CONTRAST)
        assert ratio >= 4.5, f"{scheme}: contrast {ratio:.2f} of {where}"
    page.media()
    for width, font in ((320, 16), (390, 16), (360, 32)):
        page.size(width, 740)
        page.letters(font)
        # What is too wide widens a phone's viewport, and so innerWidth, too.
        assert page.run(f"document.documentElement.scrollWidth <= {width}"), f"with letters of {font} px it is wider than {width}"
        assert page.run('document.getElementById("switch").getBoundingClientRect().bottom < innerHeight'), f"with letters of {font} px the switch is not to be seen"
        small = page.run('[...document.querySelectorAll("button, input")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 44)'
                         ".map((e) => e.id)")
        assert small == [], f"too small for a thumb: {small}"
    page.letters(16)
    page.size(390, 844)


def hold_back(page, pattern, while_held):
    """Opens the link anew, has that file not come, and then break off."""
    page.open("about:blank")
    page.call("Network.setCacheDisabled", cacheDisabled=True)
    page.call("Fetch.enable", patterns=[{"urlPattern": pattern}])
    seen = len(page.browser.events)
    page.open(link)
    held = []

    def is_held():
        page.browser.call("Browser.getVersion")  # takes in what happened
        held[:] = [event["params"]["requestId"] for event in page.browser.events[seen:] if event["method"] == "Fetch.requestPaused"]
        return held

    until(f"{pattern} is asked for", is_held)
    while_held()
    for each in held:
        page.call("Fetch.failRequest", requestId=each, errorReason="ConnectionReset")
    page.call("Fetch.disable")
    page.call("Network.setCacheDisabled", cacheDisabled=False)


def main(browser):
    page = browser.page()
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)

    step("without a key it says what to do; what is no link is told")
    page.open(origin)
    page.wait(is_seen("link"), "the form")
    assert not page.run(is_seen("loading"))
    assert focus(page) == "setup H1", focus(page)
    check_looks(page)
    shot(page, "setup")
    page.run('document.getElementById("link").value = "http://example.net/"; document.querySelector("form").requestSubmit()')
    assert "no link" in page.text("wrong")
    assert page.run("document.activeElement.id") == "link"

    step("a network that is cut while it loads: it says what to do, and has the key already")

    def advised():
        page.wait('[...document.querySelectorAll("#loading p")].some((p) => p.checkVisibility({ visibilityProperty: true }) && p.textContent.includes("WireGuard"))',
                  "told what to do")
        shot(page, "loading")

    def advised_and_without_the_key():
        advised()
        assert page.run("location.href") == origin, page.run("location.href")

    hold_back(page, "*/page.mjs", advised)
    hold_back(page, "*/libsodium.mjs*", advised_and_without_the_key)
    page.wait(is_seen("broken"), "told that it does not work")
    assert not page.run(is_seen("loading"))
    assert focus(page) == "broken H1", focus(page)
    assert "WireGuard" in page.text("why") and ("alert", "") in [(role, name) for role, name, _ in page.accessible()]
    check_looks(page)
    shot(page, "broken")
    page.tap("reload")
    page.wait(IS_DOWN, "the state, with the key from before")

    step("the link brings the key, and the address bar does not keep it")
    page.run("localStorage.clear()")
    page.open("about:blank")
    page.open(link)
    page.wait(IS_DOWN, "the state")
    assert page.run("location.href") == origin, page.run("location.href")
    assert (page.text("who"), page.text("server")) == ("selen", "jacinth")
    assert page.text("kept") == "The key stays in this browser."
    check_accessibility(page, "false")
    check_looks(page)
    shot(page, "down")
    assert peers() == [] and not is_carried()

    step("a thumb brings the phone up, and traffic passes")
    page.tap("switch")
    page.wait(IS_UP, "up")
    assert len(peers()) == 1, peers()
    until("traffic passes", is_carried)
    check_accessibility(page, "true")
    assert page.text("lease") in ("1 h left", "59 min left"), page.text("lease")
    check_looks(page)
    shot(page, "up")

    step("the keyboard takes it down, and nothing passes")
    page.call("Page.reload")
    page.wait(IS_UP, "up, after a reload")
    page.key("Tab", "Tab", 9)
    assert page.run("document.activeElement.id") == "switch"
    assert page.run('getComputedStyle(document.activeElement).outlineStyle') == "solid", "the focus is not to be seen"
    page.key(" ", "Space", 32, " ")
    page.wait(IS_DOWN, "down")
    assert peers() == [] and not is_carried()

    step("the lease is renewed")
    page.key("Enter", "Enter", 13, "\r")
    page.wait(IS_UP, "up")
    page.run('said = []; new MutationObserver(() => said.push(document.getElementById("told").textContent))'
             '.observe(document.getElementById("told"), { childList: true })')
    page.tap("renew")
    page.wait("said.length === 2", "it is said, and then no more")
    assert page.run("said") == ["Renewed, 1 h left", ""], page.run("said")
    assert page.text("lease") == "1 h left", page.text("lease")

    step("the cable is cut: it says so, and what is wanted is done when it is back")
    cable("down")
    page.wait('document.getElementById("trouble").textContent.startsWith("No answer from jacinth for ")', "told of the silence")
    assert page.text("state") == "Up, when last heard", page.text("state")
    shot(page, "cut")
    page.tap("switch")
    page.wait('document.getElementById("state").textContent === "Taking it down …"', "it is tried")
    time.sleep(6)
    page.wait('document.getElementById("trouble").textContent.includes("asked again until it answers")', "told of the waiting")
    shot(page, "waiting")
    assert len(peers()) == 1
    cable("up")
    page.wait(IS_DOWN, "down, with the cable back", 40)
    assert page.text("trouble") == "" and peers() == []

    step("while the page is hidden nobody is asked, and that is no silence")
    page.run('Object.defineProperty(document, "hidden", { value: true, configurable: true })')
    cable("down")
    page.run("Date.now = ((now) => () => now() + 600000)(Date.now)")  # ten minutes
    page.run('delete document.hidden; document.dispatchEvent(new Event("visibilitychange"))')
    page.wait('document.getElementById("trouble").textContent', "told of the silence")
    assert page.text("trouble").startswith("No answer from jacinth for 5 s."), page.text("trouble")
    cable("up")
    page.wait('document.getElementById("trouble").textContent === ""', "an answer, with the cable back", 40)

    step("the administrator's doing is seen, and leaves the focus where there is something")
    assert on(jacinth, f"{os.environ['LAB_BIN']}/anubis", "up", "selen").returncode == 0
    page.wait(IS_UP, "up, as the administrator wants it")
    assert on(jacinth, f"{os.environ['LAB_BIN']}/anubis", "down", "selen").returncode == 0
    page.wait(IS_DOWN, "down again")
    page.tap("switch")
    page.wait(is_seen("renew"), "up, with a lease")
    page.run('document.getElementById("renew").focus()')
    assert focus(page) == "session renew", focus(page)
    assert on(jacinth, f"{os.environ['LAB_BIN']}/anubis", "down", "selen").returncode == 0
    page.wait(IS_DOWN, "down, and nothing to renew")
    assert focus(page) == "session switch", focus(page)

    step("a reload keeps the key; one tap does not take it away")
    page.call("Page.reload")
    page.wait(IS_DOWN, "the state after a reload")
    page.tap("forget")
    page.wait(is_seen("forgetting"), "the question")
    assert page.run("localStorage.length") == 1
    questions = [(name, properties.get("modal")) for role, name, properties in page.accessible() if role == "dialog"]
    assert questions == [("Forget the key?", True)], questions
    assert focus(page) == "- keep", focus(page)
    check_looks(page)
    shot(page, "asking")
    page.tap("forget")  # a second tap at the same place
    page.wait(f"!{is_seen('forgetting')}", "no question any more")
    assert page.run("localStorage.length") == 1
    page.tap("forget")
    page.wait(is_seen("forgetting"), "the question")
    page.key("Escape", "Escape", 27)
    page.wait(f"!{is_seen('forgetting')}", "no question any more")
    assert focus(page) == "- forget", focus(page)
    assert page.run("localStorage.length") == 1

    step("who forgets it starts anew, and may paste the link")
    page.tap("forget")
    page.wait(is_seen("forgetting"), "the question")
    page.tap("really")
    page.wait(is_seen("link"), "the form again")
    assert page.run("localStorage.length") == 0
    page.run(f'document.getElementById("link").value = " {link} "; document.querySelector("form").requestSubmit()')
    page.wait(IS_DOWN, "the state after pasting")
    assert focus(page) == "session what", focus(page)

    step("a link with a key that is none can be forgotten")
    page.run(f'location.hash = "1.{"A" * 43}.{"A" * 43}"')
    page.wait(is_seen("broken"), "told that it does not work")
    page.tap("forget")
    page.wait(is_seen("forgetting"), "the question")
    page.tap("really")
    page.wait(is_seen("link"), "the form again")
    page.run(f'document.getElementById("link").value = "#1.{"A" * 43}.{"A" * 43}"; document.querySelector("form").requestSubmit()')
    page.wait(is_seen("broken"), "told that it does not work, after pasting")

    step("a browser that keeps nothing is not said to")
    blocked = page.call("Page.addScriptToEvaluateOnNewDocument",
                        source='Object.defineProperty(window, "localStorage", { get() { throw new DOMException("blocked", "SecurityError"); } })')
    page.open("about:blank")
    page.open(link)
    page.wait(IS_DOWN, "the state, with a key that is not kept")
    assert "in this tab alone" in page.text("kept"), page.text("kept")
    check_looks(page)
    shot(page, "tab-alone")
    page.call("Page.removeScriptToEvaluateOnNewDocument", **blocked)

    step("somebody else's key is refused, in words")
    page.open("about:blank")
    page.open(others_link)
    page.wait('document.getElementById("trouble").textContent.includes("does not take this key")', "refused")
    assert page.run('document.getElementById("switch").disabled')
    shot(page, "refused")

    step("nothing was asked of anybody else, and the browser found no fault")
    for event in browser.events:
        params = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            url = params["request"]["url"]
            assert url.startswith((origin, "about:", "data:")), url
            assert "libsodium" not in url or "?" in url, f"{url} is kept for good, and so wants a version"
        assert event.get("method") != "Runtime.exceptionThrown", params
        if event.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            # The refusals and the cut that were asked for.
            assert params["entry"]["source"] == "network", params


with_chromium = ["nsenter", "-t", selen, "--net", "--mount", "--", "chromium-headless-shell"]
chromium = Browser(with_chromium, profile)
try:
    main(chromium)
finally:
    chromium.close()
