#!/usr/bin/python3
"""The attacks of tests/lab/attack, which calls this on the attacker's host, in parts: what mallory may do, who is an
authorised peer of jacinth's and hostile. Each case prints one line, with its number in the list of faults, and is followed by the same questions: is
the daemon alive, have its counters moved as they had to and no further, is its production interface as it was?

  attack.py PART      peer, after-restart, preshared or flood
"""

import json
import os
import pathlib
import shlex
import socket
import struct
import subprocess
import sys
import time

import anubis_peer as anubis
from anubis_peer import BYE, DOWN, RENEW, REPLY, STATUS, UP, octets, number, varint

LAB = pathlib.Path(os.environ["LAB_DIR"])
VICTIM = shlex.split(os.environ["ON_VICTIM"])  # what goes before a command that is to run there
VICTIM_PID = int(os.environ["VICTIM_PID"])
VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"
MEMORY = LAB / "mallory" / "memory.json"  # from one part to the next
LEASE = 600  # that jacinth grants mallory

WAIT = 10  # for what takes milliseconds on a machine that has nothing else to do


def key(host, name):
    return anubis.key_file(LAB / host / name)


def side(host):
    return anubis.side_address(key(host, "side.pub"))


class Failed(Exception):
    pass


def ensure(holds, text):
    if not holds:
        raise Failed(text)


# --- the victim ------------------------------------------------------------------------------------------------------


def on_victim(*command):
    done = subprocess.run([*VICTIM, *command], capture_output=True, text=True, timeout=30)
    ensure(done.returncode == 0, f"on the victim: {shlex.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def status():
    return json.loads(on_victim("anubis", "status", "--json"))


def session():
    return next(peer for peer in status()["peers"] if peer["name"] == "mallory")


def counters():
    return {name: value for name, value in status()["counters"].items() if name not in ("datagrams-sent",)}


def network():
    """The production interface, without what changes by itself: handshakes and traffic."""
    dump = on_victim("wg", "show", "wg0", "dump").splitlines()
    return [line.split("\t")[:4] for line in dump], on_victim(
        "sh", "-c", "ip route show table all; ip -6 route show table all; ip rule; ip -6 rule"
    )


def allowed_ips():
    """Of mallory on the victim's production interface; None: it is not there."""
    mine = anubis.base64.b64encode(key("mallory", "production.pub")).decode()
    for line in on_victim("wg", "show", "wg0", "allowed-ips").splitlines():
        if line.startswith(mine):
            return sorted(line.split("\t")[1].split())
    return None


def resident_kb():
    for line in pathlib.Path(f"/proc/{VICTIM_PID}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise Failed("the victim's daemon has no memory")


class Share:
    """Keeps us within what jacinth hears of one peer [4.4]: 200 datagrams at once and 50 a second, with some to spare."""

    def __init__(self):
        self.left, self.at = 150.0, time.monotonic()

    def take(self):
        now = time.monotonic()
        self.left, self.at = min(150.0, self.left + 45 * (now - self.at)), now
        if self.left < 1:
            time.sleep((1 - self.left) / 45)
        self.left -= 1


share = Share()
PAST_THE_SHARE = {"authentication", "padding", "unsolicited"}  # reasons that are looked for behind it [4.3]


def say(datagram):
    share.take()
    me.send(datagram)


# --- cases -----------------------------------------------------------------------------------------------------------

passed = 0


class Case:
    """with Case("F1", "what is tried and what must come of it") as case: …"""

    def __init__(self, fault, text):
        self.fault, self.text, self.wanted, self.on_the_way = fault, text, {}, 0

    def counts(self, **more):
        """What the victim's counters must gain, with _ for - in their names."""
        for name, value in more.items():
            name = name.replace("_", "-")
            self.wanted[name] = self.wanted.get(name, 0) + value

    def sends(self, datagram, reason, times=1):
        """A datagram that must be dropped for this reason."""
        for _ in range(times):
            (say if reason in PAST_THE_SHARE else me.send)(datagram)
        self.counts(**{"dropped_" + reason.replace("-", "_"): times, "datagrams_received": times})
        self.on_the_way += times
        if self.on_the_way >= 64:  # a busy machine's buffers hold a few hundred
            self.catch_up()

    def gained(self):
        after = counters()
        return {name: after[name] - self.before[name] for name in after if after[name] != self.before[name]}

    def catch_up(self):
        """Until all that was sent has arrived."""
        end = time.monotonic() + WAIT
        while self.gained().get("datagrams-received", 0) < self.wanted["datagrams-received"]:
            ensure(time.monotonic() < end, f"only {self.gained()} arrived of {self.wanted}")
        self.on_the_way = 0

    def asks(self, operation, wanted="OK", **told):
        """A new request, and what must be answered. STALE for want of the token is asked again."""
        reply = self.answers(me.request(operation, **told), None)
        if reply.result == "STALE" and wanted != "STALE":
            reply = self.answers(me.request(operation, **told), None)
        ensure(reply.result == wanted, f"answered {reply.result} {reply.text!r} instead of {wanted}")
        return reply

    def answers(self, request, wanted):
        """A datagram that must be answered so. It is sent once: the side tunnel loses nothing here."""
        share.take()
        reply = me.answer(request, timeout=WAIT, repeat_after=WAIT)
        ensure(reply is not None, f"no answer ({wanted})")
        ensure(wanted is None or reply.result == wanted, f"answered {reply.result} {reply.text!r} instead of {wanted}")
        ensure(len(reply.datagram) == len(request), "the reply has another size than its request [2.1]")
        ensure(len(reply.token) == 16 and reply.padding_is_zero, "the reply's token or padding is wrong")
        self.counts(datagrams_received=1)
        if reply.result == "STALE":
            self.counts(stale=1)
        if reply.result in anubis.ACCEPTED:
            self.counts(requests_accepted=1)
        return reply

    def __enter__(self):
        me.drain()
        self.before, self.network_before = counters(), network()
        return self

    def __exit__(self, kind, error, _):
        global passed
        if error is None:
            try:
                self.look_afterwards()
            except Failed as found:
                error = found
        if isinstance(error, Failed):
            print(f"{self.fault:6} FAILED: {self.text}: {error}", flush=True)
            sys.exit(1)
        if error is None:
            passed += 1
            print(f"{self.fault:6} {self.text}", flush=True)
        return False

    def look_afterwards(self):
        os.kill(VICTIM_PID, 0)
        end = time.monotonic() + WAIT
        while (gained := self.gained()) != self.wanted:
            ensure(time.monotonic() < end, f"the counters gained {gained} instead of {self.wanted}")
            time.sleep(0.05)
        ensure(network() == self.network_before, "the victim's production interface or routes are not as before")


def production(with_peer, preshared=None):
    """mallory's own production interface: with the victim for its only peer, made anew [9.2], or without."""
    theirs = anubis.base64.b64encode(key("jacinth", "production.pub")).decode()
    subprocess.run(["wg", "set", "wg0", "peer", theirs, "remove"], check=True)
    if with_peer:
        command = ["wg", "set", "wg0", "peer", theirs, "endpoint", f"{os.environ['VICTIM_ADDRESS']}:4296"]
        command += ["allowed-ips", "10.44.0.0/24"] + (["preshared-key", "/dev/stdin"] if preshared else [])
        subprocess.run(command, check=True, input=anubis.base64.b64encode(preshared or b""))


def ping():
    """Through the tunnel. WireGuard repeats an initiation that was lost after 5 s."""
    end = time.monotonic() + WAIT
    while subprocess.run(["ping", "-q", "-c", "1", "-W", "1", os.environ["VICTIM_INNER"]], capture_output=True).returncode:
        ensure(time.monotonic() < end, "nothing passes through the tunnel")


# --- what an honest peer gets ----------------------------------------------------------------------------------------


def conformance():
    with Case("-", "status: answered in the request's size, whatever that is") as case:
        for size in (512, 513, 1000, 1232):
            reply = case.asks(STATUS, size=size)
            ensure((reply.state, reply.listen_port, reply.presence, reply.lease) == ("down", 4296, 0, 0), vars(reply))
    with Case("-", "no token, or a wrong one: STALE with the current one, which stays current") as case:
        first = case.asks(STATUS, "STALE", token=b"")
        second = case.asks(STATUS, "STALE", token=bytes(16))
        ensure(first.token == second.token, "a STALE has replaced the token")
        case.asks(STATUS, token=first.token)
    with Case("-", "renew of a session that is down: NOT_UP") as case:
        case.asks(RENEW, "NOT_UP")
    with Case("-", "up: created, then found there; a ping passes; down and down again") as case:
        production(True)
        reply = case.asks(UP, listen_port=4296)
        ensure((reply.presence, reply.state) == (1, "up"), vars(reply))
        ping()
        ensure(case.asks(UP, listen_port=4296).presence == 2, "the second up did not find the peer there")
        ping()
        for _ in range(2):
            ensure(case.asks(DOWN).state == "down", "the session is not down")
        ensure(allowed_ips() is None, "the peer is still on the victim's production interface")
    with Case("-", "up and renew with a preshared key: its id comes back, and a handshake with it succeeds") as case:
        for operation in (UP, RENEW):
            preshared = os.urandom(32)
            reply = case.asks(operation, listen_port=4296, preshared_key=preshared)
            ensure(reply.preshared_key_id == anubis.preshared_key_id(preshared), "another id [9.4]")
            time.sleep(0.05)  # WireGuard takes two initiations that come closer together for a replay
            production(True, preshared)
            ping()
        case.asks(DOWN)
        production(False)
    with Case("-", "renew of a session that is up; bye takes it down") as case:
        case.asks(UP)
        reply = case.asks(RENEW, lease=60)
        ensure(50 < reply.lease <= 60 and reply.state == "up", vars(reply))
        ensure(case.asks(BYE, successor=key("xena", "production.pub")).state == "down", "the session is not down")


# --- replay and order ------------------------------------------------------------------------------------------------


def replay():
    with Case("F1", "a request replayed 50 times: the identical reply, no second effect") as case:
        request = me.request(UP)
        first = case.answers(request, "OK")
        for _ in range(50):
            say(request)
            ensure(me.receive(WAIT) == first.datagram, "another reply than the first time")
        case.counts(replies_repeated=50, datagrams_received=50)
        case.asks(DOWN)
    with Case("F4", "an up that was made before a down and arrives after it: stays down") as case:
        delayed = me.request(UP)
        case.asks(DOWN)
        case.answers(delayed, "STALE")
        ensure(session()["state"] == "down" and allowed_ips() is None, "it is up")
    with Case("F6", "an up repeated after the victim's own user took it down: never the old OK") as case:
        request = me.request(UP)
        case.answers(request, "OK")
        down = subprocess.Popen([*VICTIM, "anubis", "down", "mallory"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        asked, _ = await_request(DOWN)
        case.answers(request, "STALE")
        say(me.reply_to(asked, anubis.reply_payload(1, os.urandom(16))))
        ensure(down.wait(WAIT) == 0, "the victim's own down failed")
        case.counts(datagrams_received=1)
        case.answers(request, "STALE")
        ensure(session()["state"] == "down" and allowed_ips() is None, "it is up")
    with Case("F56", "bye: replayed, of an older session, or with another's key: ignored") as case:
        case.asks(UP)
        old_bye = me.request(BYE)
        case.answers(old_bye, "OK")
        case.asks(UP)
        case.answers(old_bye, "STALE")
        forged = anubis.request_payload(BYE, me.token)
        case.sends(anubis.message(1, 1, os.urandom(16), key("xena", "production.pub"), me.sending, forged), "source")
        ensure(session()["state"] == "up", "a bye had an effect")
        case.asks(DOWN)
    remembered = {}
    with Case("F2", "(first half: requests are recorded, accepted and not)") as case:
        remembered["fresh"] = me.request(UP).hex()
        case.asks(DOWN)
        accepted = me.request(UP)
        case.answers(accepted, "OK")
        remembered["accepted"] = accepted.hex()
        down = me.request(DOWN)
        case.answers(down, "OK")
        remembered["last"] = down.hex()
        remembered["current"] = me.request(UP).hex()  # with the token of this very moment, never sent
    MEMORY.write_text(json.dumps(remembered), encoding="ascii")


def await_request(operation):
    """The victim's request of this kind, and its fields."""
    end = time.monotonic() + WAIT
    while (left := end - time.monotonic()) > 0:
        datagram = me.receive(left)
        if datagram is None or datagram[5] != anubis.REQUEST:
            continue
        plaintext = me.open(datagram)
        ensure(plaintext is not None, "the victim's request does not open")
        told = anubis.fields(plaintext[2 : 2 + struct.unpack(">H", plaintext[:2])[0]])
        if told.get(1) == operation:
            return datagram, told
    raise Failed("the victim did not ask")


def replies():
    """The victim asks, and mallory answers wrongly in every way before it answers rightly."""
    with Case("F7", "F8, F11: replies replayed, reflected, of another peer, of no use: dropped; the right one is taken") as case:
        other = me.reply_to(me.request(STATUS), anubis.reply_payload(1, os.urandom(16), state=3))  # to another request
        up = subprocess.Popen([*VICTIM, "anubis", "up", "mallory", "--timeout", "20s"], stdout=subprocess.PIPE, text=True)
        asked, told = await_request(UP)
        preshared = told[8]
        ok = anubis.reply_payload(
            1, os.urandom(16), listen_port=4296, presence=1, state=3, preshared_key_id=anubis.preshared_key_id(preshared)
        )
        case.sends(other, "unsolicited")
        case.sends(asked, "unknown-sender")  # its own request, reflected: its own key is no peer's
        as_xena = anubis.message(REPLY, 1, asked[8:24], key("xena", "production.pub"), me.sending, ok)
        case.sends(as_xena, "source")
        case.sends(asked[:5] + b"\2" + asked[6:24] + me.public + asked[56:], "authentication")  # its request, dressed up as our reply
        sealed_wrongly = bytearray(me.reply_to(asked, ok))
        sealed_wrongly[-1] ^= 1
        case.sends(bytes(sealed_wrongly), "authentication")
        case.sends(me.reply_to(asked, b"\x08"), "unsolicited")  # malformed [4.3, check 13]
        case.sends(me.reply_to(asked, number(1, 1)), "unsolicited")  # no token
        ensure(session()["state"] == "going-up" and up.poll() is None, "a wrong reply was taken")
        say(me.reply_to(asked, anubis.reply_payload(3, b"t" * 16)))  # STALE: it asks again with our token
        again, told = await_request(UP)
        while again == asked:
            again, told = await_request(UP)  # a repetition that had been on its way
        ensure(told[8] == preshared, "asked again with another preshared key [9.4]")
        ensure(again[8:24] != asked[8:24] and again[56:80] != asked[56:80], "asked again with the same id or nonce [8.3]")
        production(True, preshared)
        say(me.reply_to(again, ok))
        case.counts(datagrams_received=2)
        deadline = time.monotonic() + WAIT
        while up.poll() is None and time.monotonic() < deadline:
            subprocess.run(["ping", "-q", "-c", "1", "-W", "1", os.environ["VICTIM_INNER"]], capture_output=True)
        ensure(up.poll() == 0, f"the victim's up ended with {up.poll()}: {up.stdout.read() if up.poll() is not None else ''}")
        case.asks(DOWN)
        production(False)


# --- identity --------------------------------------------------------------------------------------------------------

# The canonical encodings of all points of small order, and some that are not canonical.
SMALL_ORDER = [
    bytes(32),
    bytes([1]) + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]


def identity():
    payload = anubis.request_payload(UP, bytes(16))
    with Case("F13", "mallory sends xena's key, which is not its own: dropped") as case:
        case.sends(anubis.message(1, 1, os.urandom(16), key("xena", "production.pub"), me.sending, payload), "source")
    with Case("F14", "a valid message from xena's inner address: does not leave the side tunnel") as case:
        stranger = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        stranger.bind((side("xena"), 0))  # tests/lab/attack gave mallory that address, too
        for _ in range(10):
            stranger.sendto(me.request(UP), (side("jacinth"), anubis.SERVICE_PORT))
        case.asks(STATUS)  # has come behind them, and is the only one that is counted
    with Case("F15", "points of small order as the sender's key: dropped") as case:
        for point in SMALL_ORDER:
            case.sends(anubis.message(1, 1, os.urandom(16), point, bytes(32), payload), "unknown-sender")
            zero_keys = anubis.hashlib.blake2b(bytes(32)).digest()[:32]
            case.sends(anubis.message(1, 1, os.urandom(16), point, zero_keys, payload), "unknown-sender")
    with Case("F21", "an offer without the suite in use, an empty one, unknown ones: SUITE, no effect") as case:
        for offer in ((), (77,), (2**63, 0)):
            case.answers(me.request(UP, suites=offer), "SUITE")
        ensure(session()["state"] == "down", "it had an effect")
        case.asks(STATUS, suites=(1, 77, 2**64 - 1))  # what is unknown is ignored
    with Case("F21", "suite 1 where the offer says that both ends have suite 2: refused; suite 2 is taken") as case:
        refusal = case.answers(me.request(UP, suites=(1, 2)), None)
        if refusal.result == "SUITE":
            ensure(refusal.suites == {1, 2}, f"the refusal names {refusal.suites} [5.4]")
            me.use_suite(2)
            case.answers(me.request(UP, suites=(1, 2)), "OK")  # the refusal has brought the token
            case.answers(me.request(DOWN, suites=(2,)), "OK")
            case.answers(me.request(DOWN, suites=(1,)), "SUITE")
            case.sends(me.sealed(b"", plaintext=b"\0" * 415 + b"\1"), "padding")
            broken = bytearray(me.request(UP, suites=(1, 2)))
            broken[-1] ^= 1
            case.sends(bytes(broken), "authentication")
            me.use_suite(1)
        else:
            case.text += " (this machine has no AES: suite 1 is the strongest)"
            case.answers(me.request(DOWN), "OK")
    with Case("F22", "every bit of header and tag, and some of those between, flipped: dropped for the page's reason") as case:
        whole = me.request(UP)
        sealed = range(80, len(whole) - 16, 9)
        for bit in [*range(80 * 8), *(i * 8 + i % 8 for i in sealed), *range((len(whole) - 16) * 8, len(whole) * 8)]:
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            case.sends(bytes(flipped), reason_of_flip(bit // 8))
        ensure(me.silence(), "something was answered")
        case.answers(whole, "OK")  # and as it was, it is good
        case.asks(DOWN)


def reason_of_flip(byte):
    """[4.3]: what the check of this byte's field is called."""
    for end, reason in ((4, "magic"), (5, "version"), (6, "type"), (7, "suite"), (8, "reserved"), (24, "authentication"), (56, "unknown-sender")):
        if byte < end:
            return reason
    return "authentication"


# --- parsing ---------------------------------------------------------------------------------------------------------


def parsing():
    with Case("F24", "WireGuard's packets on Anubis' port: dropped") as case:
        for kind, size in ((1, 148), (2, 92), (3, 64), (4, 32), (4, 1000)):
            case.sends(bytes([kind, 0, 0, 0]) + os.urandom(size - 4), "magic")
    with Case("F26", "all truncations of a good request, one byte more, far too long: dropped") as case:
        whole = me.request(UP)
        for size in range(len(whole)):
            case.sends(whole[:size], "length")
        case.sends(whole + b"\0", "authentication")
        case.sends(whole.ljust(1233, b"\0"), "length")
        inside = [  # well sealed, and padded wrongly [4.3, check 12]
            struct.pack(">H", 415).ljust(416, b"\0"),
            struct.pack(">H", 65535).ljust(416, b"\0"),
            (struct.pack(">H", 2) + b"\x08\x03").ljust(415, b"\0") + b"\1",
        ]
        for plaintext in inside:
            case.sends(me.sealed(b"", plaintext=plaintext), "padding")
        ensure(me.silence(), "something was answered")
    with Case("F27", "protobuf bombs: BAD_REQUEST, and no memory taken") as case:
        memory = resident_kb()
        huge = [octets_of(2, length) for length in (2**31, 2**31 - 1, 2**32 - 1, 2**63, 2**64 - 1)]
        bombs = huge + [
            b"\x08" + b"\xff" * 9 + b"\x7f",  # a varint beyond 64 bits
            b"\x08" + b"\x80" * 400,  # one that does not end
            b"\x0b" * 100 + b"\x0c" * 100,  # groups, 100 deep
            varint(1000 << 3 | 3) * 100,
            b"\x0a\x01\x01",  # operation as bytes
            b"\x10\x01" + b"\x08\x01",  # token as a number
            b"\x09" + bytes(8),  # operation of 8 bytes
            b"\x0e\x01",  # wire type 6
            b"\x00\x01",  # field number 0
            number(1, 1) + octets(3, b"\x80" * 50),  # packed suites that do not end
            number(1, 1) + octets(2, bytes(15)),  # a token of 15 bytes
            number(1, 1) + number(4, 65536),
            number(1, 1) + number(5, 2**64 - 1),
        ]
        for payload in bombs:
            case.answers(me.sealed(payload), "BAD_REQUEST")
        for _ in range(20):
            case.answers(me.sealed(number(3, 5) * 200, size=1232), "BAD_REQUEST")
        ensure(resident_kb() - memory < 4096, f"the daemon has grown by {resident_kb() - memory} kB")
    with Case("F28", "unknown fields are ignored, unknown operations are told: VERSION") as case:
        unknown = number(100, 5) + octets(1000, b"allowed_ips = 0.0.0.0/0") + varint(77 << 3 | 1) + bytes(8) + varint(78 << 3 | 5) + bytes(4)
        case.answers(me.sealed(unknown + anubis.request_payload(STATUS, me.token) + unknown), "OK")
        for operation in (99, 2**32 + 1, 2**64 - 1):
            case.answers(me.sealed(number(1, operation) + number(4, 70000)), "VERSION")
    with Case("-", "the payloads of tests/vectors, judged by the daemon as the vectors say") as case:
        entries = json.loads((VECTORS / "payloads.json").read_text(encoding="utf-8"))["requests"]
        for entry in entries:
            payload = bytes.fromhex(entry["payload"])
            size = 512 if len(payload) <= 414 else 1232
            reply = case.answers(me.sealed(payload, size=size), entry.get("fault"))
            if "request" in entry:  # well-formed, but the token is not the current one
                offer = entry["request"]["suites"]
                judged = {"SUITE"} if 1 not in offer else {"STALE"} if offer == [1] else {"STALE", "SUITE"}
                ensure(reply.result in judged, f"{entry['name']}: {reply.result}")
        ensure(len(entries) > 50, "there are no vectors")


def octets_of(field, length):
    return number(1, 1) + varint(field << 3 | 2) + varint(length) + b"x" * 10


def more_than_allowed():
    with Case("F35", "an up that asks for more than is configured: gets what is configured") as case:
        greedy = octets(20, b"0.0.0.0/0") + number(5, 10 * 365 * 24 * 3600)  # the longest lease that there is
        reply = case.answers(me.sealed(anubis.request_payload(UP, me.token, lease=1) + greedy), "OK")
        ensure(0 < reply.lease <= LEASE, f"a lease of {reply.lease} s")
        number_of_mine = os.environ["MY_NUMBER"]
        ensure(allowed_ips() == sorted([f"10.44.0.{number_of_mine}/32", f"fd44::{number_of_mine}/128"]), str(allowed_ips()))
        reply = case.asks(RENEW, lease=0)  # until down
        ensure(0 < reply.lease <= LEASE, f"a lease of {reply.lease} s")
        case.asks(DOWN)


# --- parts -----------------------------------------------------------------------------------------------------------


def part_peer():
    with Case("-", "the side tunnel carries the first question") as case:
        case.asks(STATUS)
    conformance()
    replay_last = (identity, parsing, more_than_allowed, replies, replay)
    for each in replay_last:
        each()


def part_after_restart():
    remembered = {name: bytes.fromhex(datagram) for name, datagram in json.loads(MEMORY.read_text(encoding="ascii")).items()}
    with Case("F2", "all of them replayed after the victim's restart, twice: STALE, no effect") as case:
        for _ in range(2):
            for datagram in remembered.values():
                case.answers(datagram, "STALE")
        ensure(session()["state"] == "down" and allowed_ips() is None, "it had an effect")
        case.asks(STATUS)


def part_preshared():
    right, wrong = key("jacinth", "anubis.psk"), os.urandom(32)
    for text, preshared in (("missing", None), ("wrong", wrong)):
        me.use_preshared(preshared)
        with Case("F17", f"the preshared key is {text} at one end: silence on the wire, and status explains") as case:
            case.sends(me.request(UP), "authentication", times=3)
            ensure(me.silence(0.3), "it was answered")
            deadline = time.monotonic() + WAIT
            while "preshared" not in session()["reason"]:
                ensure(time.monotonic() < deadline, f"status says {session()['reason']!r}")
                time.sleep(0.05)
    me.use_preshared(right)
    with Case("F17", "the right one: answered, and status has nothing to explain") as case:
        case.asks(STATUS)
        ensure(session()["reason"] == "", session()["reason"])


def part_flood():
    """10,000 datagrams a second, of all kinds that cost something, until told to end by the end of stdin's writer."""
    rate, seconds = 10_000, float(os.environ["FLOOD_SECONDS"])
    me.answer(me.request(STATUS))
    accepted = me.request(STATUS)
    me.answer(accepted)
    bad = bytearray(me.request(UP))
    bad[-1] ^= 1
    kinds = [bytes(bad), accepted, me.request(UP, token=bytes(16)), me.sealed(b"\x08"), os.urandom(600)]
    began, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds:
        for _ in range(max(0, int(elapsed * rate) - sent)):
            me.send(kinds[sent % len(kinds)])
            sent += 1
        me.drain()
        me.socket.setblocking(True)
        time.sleep(0.002)
    print(f"{sent} {sent / seconds:.0f}")


if __name__ == "__main__":
    me = anubis.Peer(key("mallory", "production.key"), key("jacinth", "production.pub"), side("mallory"), side("jacinth"))
    parts = {"peer": part_peer, "after-restart": part_after_restart, "preshared": part_preshared, "flood": part_flood}
    part = parts[sys.argv[1]]
    try:
        part()
    except Failed as failed:
        sys.exit(f"FAILED: {failed}")
    if part is not part_flood:
        print(f"{passed} passed in this part")
