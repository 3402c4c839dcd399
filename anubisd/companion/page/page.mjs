// The companion page: shows what the gatekeeper says of this phone's session, and asks it to bring that up or down.
// What is said on the wire stands in message.mjs; here is what is shown, and when is asked.
import * as wire from "./message.mjs";

// One that was asked and has not answered for so long is waited for no longer; the same bytes are sent again.
const ANSWER_MS = 4000;
const RETRY_MS = [500, 1000, 2000];
// While the page is looked at.
const LOOK_MS = 2000;
// Without an answer for so many seconds, that is said.
const SILENCE_S = 5;
const MOST_ASKED_AGAIN = 7;
// How long what was done stays to be read.
const TOLD_MS = 5000;

let sodium; // imported last: it is most of the page, and so what a network is cut in the middle of

const element = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
// Screen readers say what changes: so nothing is written that stands there already.
function say(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

// --- the key

// localStorage, not sessionStorage: a phone closes its tabs as it likes, and who would have to scan the code again each
// time would keep a picture of it, which is worse. "Forget it" takes it away. A browser may keep nothing: then the key
// lasts as long as the page, which says so.
const STORE = "anubis.key";

const stored = {
  read() {
    try {
      return localStorage.getItem(STORE);
    } catch {
      return null;
    }
  },
  write(text) {
    try {
      localStorage.setItem(STORE, text);
    } catch {
      return;
    }
  },
  forget() {
    try {
      localStorage.removeItem(STORE);
    } catch {
      return;
    }
  },
};

// The key that the page was opened with, or has from before; null: neither. Out of the address bar, and so out of the
// history, what was shared and what is bookmarked, goes what came with it.
function takeKey() {
  const fresh = location.hash.slice(1);
  if (fresh) history.replaceState(null, "", location.pathname);
  if (!wire.parseKey(fresh)) return stored.read();
  stored.write(fresh);
  return fresh;
}

// --- asking

class Refused extends Error {} // told by the server itself; another try would bring the same

class Gatekeeper {
  constructor(key) {
    this.ownPublic = sodium.crypto_scalarmult_base(key.ownPrivate);
    this.serverPublic = key.serverPublic;
    this.keys = wire.messageKeys(sodium, key.ownPrivate, this.ownPublic, key.serverPublic);
    this.token = null;
  }

  // The reply to this operation. Until there is one the identical bytes are sent again: they have their effect once.
  // `missed` is called with each try that was not answered; `signal` gives up.
  async ask(operation, missed, signal) {
    for (let again = 0; again <= MOST_ASKED_AGAIN; ++again) {
      const { id, message } = wire.sealRequest(sodium, this.keys.sending, this.ownPublic, wire.createRequest(operation, this.token));
      const reply = await this.#send(id, message, missed, signal);
      this.token = reply.token;
      if (reply.result === wire.STALE) continue;
      if (reply.result !== wire.BUSY) return reply;
      await pause(RETRY_MS[0]);
    }
    throw new Refused("The server is too busy to answer.");
  }

  async #send(id, message, missed, signal) {
    for (let tried = 0; ; ++tried) {
      signal.throwIfAborted();
      const answer = await this.#post(message, signal).catch(() => null);
      signal.throwIfAborted();
      if (answer?.status === 403) {
        throw new Refused("The server does not take this key: it is not that of the phone whose tunnel this is. Scan the newest code, or " +
          "ask the server’s administrator for one.");
      }
      const payload = answer?.ok && wire.openReply(sodium, this.keys.receiving, this.serverPublic, id, answer.body);
      const reply = payload && wire.readReply(payload);
      if (reply) return reply;
      missed(answer && "what came is not this server’s answer");
      await pause(RETRY_MS[Math.min(tried, RETRY_MS.length - 1)]);
    }
  }

  async #post(message, signal) {
    const limit = new AbortController();
    const stop = () => limit.abort();
    const timer = setTimeout(stop, ANSWER_MS);
    signal.addEventListener("abort", stop);
    try {
      const response = await fetch("/message", {
        method: "POST",
        body: message,
        headers: { "Content-Type": "application/octet-stream" },
        signal: limit.signal,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
      });
      return { ok: response.ok, status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }
}

// --- what is shown

const view = {
  reply: null, // the last one
  answeredAt: null,
  askedSince: Date.now(), // without an answer
  wanted: null, // "up" or "down", while that is asked for
  refused: "",
  oddity: "",
  told: "", // what was done, at toldAt
  toldAt: 0,
};

// One <main> at a time. The focus goes along: who does not see the page would be left with what is no longer there.
function reveal(id) {
  for (const main of document.querySelectorAll("main")) main.hidden = main.id !== id;
  element(id).querySelector("h1").focus();
}

function howLong(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

function sentenceOf(state) {
  if (view.wanted === "up") return "Bringing it up …";
  if (view.wanted === "down") return "Taking it down …";
  if (!state) return view.refused ? "Not let in" : "Asking …";
  return { up: "Up", down: "Down", failed: "Down: the server could not bring it up", "going-up": "Coming up …", "going-down": "Going down …" }[state];
}

function show() {
  const { reply } = view;
  const now = Date.now();
  const state = reply && wire.STATES[reply.state];
  const age = view.answeredAt === null ? null : Math.floor((now - view.answeredAt) / 1000);
  const silence = Math.floor((now - Math.max(view.answeredAt ?? 0, view.askedSince)) / 1000);
  const isSilent = silence >= SILENCE_S;
  const host = reply?.host || "the server";

  say("where", reply?.host ? `Anubis at ${reply.host}` : "Anubis");
  say("what", reply?.peer ? `Tunnel of ${reply.peer}` : "The tunnel");
  say("who", reply?.peer || "–");
  say("server", reply?.host || "–");
  say("answered", age === null ? "none yet" : age < 5 ? "just now" : `${howLong(age)} ago`);

  const toggle = element("switch");
  toggle.disabled = !reply;
  toggle.setAttribute("aria-checked", String(view.wanted ? view.wanted === "up" : state === "up"));
  toggle.setAttribute("aria-busy", String(view.wanted !== null));
  say("state", isSilent && age !== null && !view.wanted ? `${sentenceOf(state)}, when last heard` : sentenceOf(state));

  const left = state === "up" && reply.lease > 0 ? Math.max(0, reply.lease - age) : null;
  const told = now - view.toldAt < TOLD_MS ? view.told : "";
  say("told", told);
  say("lease", told || (left !== null ? `${howLong(left)} left` : state === "up" ? "until you take it down" : ""));
  const renew = element("renew");
  const isRenewable = left !== null && view.wanted === null;
  if (!isRenewable && document.activeElement === renew) toggle.focus();
  renew.hidden = !isRenewable;

  // For a screen reader, that says each change: 5 s, 30 s, and then the minutes.
  const since = silence < 30 ? SILENCE_S : silence < 60 ? 30 : silence;
  say("trouble", view.refused ? view.refused
    : isSilent ? `No answer from ${host} for ${howLong(since)}${view.oddity ? ` (${view.oddity})` : ""}. ` +
      (view.wanted ? "It is asked again until it answers." : "Is the phone’s WireGuard on? It is asked again.")
    : "");
}

// --- one thing is asked at a time; what a thumb wants comes before looking

let current = null;

async function exchange(gatekeeper, operation) {
  current?.abort();
  const mine = (current = new AbortController());
  const missed = (oddity) => {
    view.oddity = oddity || "";
    show();
  };
  try {
    const reply = await gatekeeper.ask(operation, missed, mine.signal);
    view.reply = reply;
    view.answeredAt = Date.now();
    view.oddity = "";
    if (operation === wire.RENEW && reply.result === wire.OK) {
      view.told = `Renewed, ${howLong(reply.lease)} left`;
      view.toldAt = view.answeredAt;
    }
    view.refused = reply.result === wire.OK ? (wire.STATES[reply.state] === "failed" ? view.refused : "")
      : `${reply.host || "The server"} refuses: ${reply.text || `result ${reply.result}`}`;
  } catch (error) {
    if (mine.signal.aborted) return;
    if (!(error instanceof Refused)) throw error;
    view.refused = error.message;
  }
  if (current === mine) {
    current = null;
    view.wanted = null;
  }
  show();
}

async function run(gatekeeper) {
  reveal("session");
  element("switch").addEventListener("click", () => {
    const isUp = element("switch").getAttribute("aria-checked") === "true";
    view.wanted = isUp ? "down" : "up";
    view.refused = "";
    view.askedSince = Date.now();
    view.told = "";
    show();
    navigator.vibrate?.(10);
    exchange(gatekeeper, isUp ? wire.DOWN : wire.UP);
  });
  element("renew").addEventListener("click", () => {
    view.told = ""; // the same words once more are said once more
    show();
    exchange(gatekeeper, wire.RENEW);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    view.askedSince = Date.now(); // nobody was asked meanwhile
    show();
  });
  setInterval(show, 1000);
  show();
  for (;;) {
    if (!document.hidden && !current && !view.wanted) await exchange(gatekeeper, wire.STATUS);
    await pause(LOOK_MS);
  }
}

function setUp() {
  reveal("setup");
  element("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = element("link").value.trim();
    const fragment = text.slice(text.indexOf("#") + 1);
    if (!wire.parseKey(fragment)) {
      say("wrong", "That is no link of a companion page: it ends with # and two keys.");
      element("link").setAttribute("aria-invalid", "true");
      return element("link").focus();
    }
    stored.write(fragment);
    start(fragment);
  });
}

async function start(fragment) {
  say("kept", stored.read() === fragment ? "The key stays in this browser."
    : "This browser keeps no key: it is in this tab alone. Keep its link or its code.");
  element("key").hidden = false;
  try {
    await run(new Gatekeeper(wire.parseKey(fragment)));
  } catch (error) {
    fail(error.message);
  }
}

function fail(why) {
  reveal("broken");
  say("why", "Is the phone’s WireGuard on? Then reload the page, or open its link once more. If that does not help, tell the " +
    `server’s administrator: ${why}`);
}

element("reload").addEventListener("click", () => location.reload());
element("forget").addEventListener("click", () => element("forgetting").showModal());
element("keep").addEventListener("click", () => element("forgetting").close());
element("really").addEventListener("click", () => {
  stored.forget();
  location.reload();
});
// A second link in the same tab changes the fragment only, which loads nothing.
addEventListener("hashchange", () => location.reload());

const key = takeKey();
try {
  sodium = (await import("./libsodium-wrappers.mjs")).default;
  await sodium.ready;
  if (key && wire.parseKey(key)) start(key);
  else setUp();
} catch (error) {
  fail(error.message);
}
