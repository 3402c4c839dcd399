#!/usr/bin/env python3
"""Writes first inputs for the fuzz targets: seeds.py FOLDER makes FOLDER/TARGET/NAME.

They come from the test vectors, the example configuration and what follows here. `tests/fuzz/run --update` takes them
in, and keeps those that reach something that no other input of the corpus reaches.
"""
import base64
import hashlib
import json
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"
ROOT = HERE.parent.parent

# Of the private key that is 32 times the byte 2: the peer that the fuzzer plays (gate_fixture.h).
JACINTH = bytes.fromhex("ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59")
TOKEN = b"B" * 16  # every token and every request id of ConstantRandom


def block(data):
    return struct.pack(">H", len(data)) + data


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


# --- the side socket -------------------------------------------------------------------------------------------------


def datagram():
    for kind in ("messages", "dropped"):
        for entry in vectors(kind)[kind]:
            data = bytearray(bytes.fromhex(entry["datagram"]))
            yield b"\0" + data
            if len(data) >= 56:
                data[8:24] = TOKEN
                data[24:56] = JACINTH
                yield b"\0" + data
                yield b"\1" + data


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def a_request(operation, **fields):
    numbers = {"token": 2, "listen_port": 4, "lease": 5, "successor": 6, "responder_initiates": 7}
    payload = field(1, operation) + field(3, b"\1")
    for name, value in fields.items():
        payload += field(numbers[name], value)
    return payload


def request():
    for entry in vectors("payloads")["requests"]:
        yield b"\0\0" + block(bytes.fromhex(entry["payload"]))
    for entry in vectors("messages")["messages"]:
        if "request" in entry:
            yield b"\0\0" + block(bytes.fromhex(entry["payload"]))
    requests = [a_request(operation, token=TOKEN, listen_port=4296) for operation in (1, 2, 3, 4, 5, 6)]
    requests.append(a_request(1, token=TOKEN, lease=60, responder_initiates=1))
    requests.append(a_request(4, token=TOKEN, successor=b"S" * 32))
    for payload in requests:
        for outcome in (0, 1, 2, 4, 8, 33):
            yield bytes([outcome, 0]) + block(payload)
    requests += [each.replace(b"\x1a\1\1", b"\x1a\2\1\2") for each in requests[:5]]
    for each in requests:
        yield b"\0\40" + block(each)
        yield b"\0\100" + block(each)
    for first in requests:
        for second in requests:
            yield b"\0\0" + block(first) + b"\0\2" + b"\0\10" + block(second) + b"\0\32"
    yield b"\0\1" + block(b"\0\2\10\3")
    yield b"\0\5" + block(b"\0\2\10\3" + b"\0" * 900 + b"\1")


def reply():
    payloads = [bytes.fromhex(entry["payload"]) for entry in vectors("payloads")["replies"]]
    payloads += [bytes.fromhex(e["payload"]) for e in vectors("messages")["messages"] if "reply" in e]
    for code in range(1, 12):
        payloads.append(field(1, code) + field(2, b"why") + field(3, TOKEN) + field(4, 4296) + field(5, 1)
                        + field(6, 60) + field(7, 3) + field(8, 7))
    for payload in payloads:
        for command in range(8):
            yield bytes([command, 0, 3]) + block(payload)
    stale, ok = payloads[-9], payloads[-11]
    yield b"\0" + (b"\0\1" + block(stale)) * 9 + b"\0\1" + block(ok)
    yield b"\0" + b"\0\1" + block(stale) + b"\10\1" + block(ok)


def gatekeepers():
    automatic, by_hand = bytes([12, 1]), bytes([12, 0])
    noisy = bytes([12, 0x7F])
    up = bytes([6, 0, 1, 100])
    down = bytes([7, 0, 1, 100])
    up_back, down_back = bytes([6, 1, 0, 100]), bytes([7, 1, 0, 100])
    deliver, soon, later = bytes([0]), bytes([13, 10]), bytes([14, 5])
    replay = b"".join(bytes([3, 0, n]) for n in range(8))
    forge = b"".join(bytes([4, 0, n, 1, 44]) + bytes([5, 0, n, 2, 1]) for n in range(4))
    yield automatic + up + later + down + later
    yield automatic + up + later + up + later + up_back + later
    yield automatic + up + down_back + up_back + down + later
    yield noisy + (up + soon + down_back + later) * 6
    yield up + (deliver + soon) * 8 + replay + forge
    yield up + deliver + bytes([8, 1]) + deliver + (deliver + soon) * 4
    yield automatic + up + later + bytes([9, 1]) + later + bytes([8, 0]) + later + bytes([10, 0, 1]) + down + later
    yield automatic + up + later + down + later + by_hand + replay + replay + up_back + replay + (deliver + soon) * 6
    yield automatic + bytes([11, 1, 1]) + up + later + bytes([11, 1, 0]) + up + later
    # A request that was made before jacinth's user took the session down arrives after that.
    yield up + (deliver + soon) * 8 + up + bytes([7, 1, 0, 0, 13, 200]) + deliver + (deliver + later) * 4
    yield up + bytes([2, 2]) + (later + deliver) * 6 + replay
    yield automatic + b"".join(bytes([6, a, b, 60, 13, 1]) for a in range(3) for b in range(3)) + later
    yield up + up_back + (deliver + soon) * 10 + down + down_back + (deliver + soon) * 10


# --- the control socket ----------------------------------------------------------------------------------------------


def control():
    def frame(payload):
        return struct.pack(">I", len(payload)) + payload

    name = field(1, b"jacinth")
    commands = {
        "up": field(1, name), "up_leased": field(1, name + field(2, 60) + field(3, 1000)),
        "nobody": field(1, field(1, b"nobody")), "down": field(2, name), "down_all": field(2, field(2, 1)),
        "status": field(3, b""), "status_one": field(3, name), "peers": field(4, b""), "monitor": field(5, b""),
        "reload": field(6, b""), "hosts": field(20, b""), "unknown": field(7, b""), "none": b"",
    }
    for payload in commands.values():
        yield block(frame(payload))
        yield block(frame(payload)[:3]) + block(frame(payload)[3:])
        yield block(frame(payload) + b"x")
    yield block(b"\0\1\0\1")
    yield block(b"GET / HTTP/1.1\r\n\r\n")


def netd_channel():
    def a_request(operation, interface=0, flags=0, suite=0, peer=0, endpoint=bytes(24), key=b""):
        data = struct.pack("=BBBBI", operation, interface, flags, suite, peer) + endpoint
        return block(data + (b"\1" + key if key else b""))

    v4 = struct.pack("=BBHI", 4, 0, 4296, 0) + bytes([192, 0, 2, 1]) + bytes(12)
    v6 = struct.pack("=BBHI", 6, 0, 4296, 3) + b"\xfe\x80" + bytes(13) + b"\1"
    everything = [
        a_request(1, interface=1), a_request(1, interface=2), a_request(2), a_request(3),
        a_request(4, flags=7, endpoint=v4, key=b"K" * 32), a_request(4, peer=1, endpoint=v6), a_request(4, peer=9),
        a_request(5), a_request(6), a_request(7, interface=1), a_request(8, interface=2, peer=1),
        a_request(9, endpoint=v4), a_request(9, peer=1, endpoint=v6), a_request(10, suite=1), a_request(10, suite=2, peer=9),
        a_request(11), a_request(12), a_request(13), a_request(14),
    ]
    for each in everything:
        yield b"\0" + each
    yield b"\0" + b"".join(everything[:10])
    report = v4 + struct.pack("=qQQI", 5, 6, 7, 1) + bytes(4)
    interface = b"wg0".ljust(16, b"\0") + struct.pack("=I", 7) + b"\1\1\0\0"
    for operation, outcome, count, data in (
        (1, 0, 1, interface), (2, 0, 2, b"\1\2"), (3, 1, 3, struct.pack("=III", 0, 1, 2)), (4, 0, 1, b"\1"),
        (7, 0, 2, report * 2), (10, 0, 1, b"S" * 32 + b"R" * 32), (5, 2, 3, b"why"), (5, 0, 0, b""),
    ):
        yield b"\1" + struct.pack("=BBHI", operation, outcome, count, 4 if outcome == 2 else 0) + data


# --- files -----------------------------------------------------------------------------------------------------------

KEYS = [base64.b64encode(bytes([n]) * 31 + b"\7").decode() for n in range(40, 50)]


def config():
    head = 'name = "xena"\n[production]\nprivate_key_file = "a.key"\n[side]\nprivate_key_file = "b.key"\n'
    peer = f'[[peer]]\nname = "jacinth"\npublic_key = "{KEYS[0]}"\nside_public_key = "{KEYS[1]}"\n'
    other = f'[[peer]]\nname = "surya"\npublic_key = "{KEYS[2]}"\nside_public_key = "{KEYS[3]}"\n'
    for text in (
        head, head + peer, head + peer + other, head + "\f" + peer, head + peer + "\f" + peer,
        head + peer + 'endpoint = "192.0.2.1"\nallowed_ips = ["10.44.0.0/24", "::/0"]\nlease = "1h30m"\n'
        'persistent_keepalive = "off"\npreshared_key_file = "psk"\ngroup = "gateways"\n' + other
        + 'allowed_ips = ["10.44.0.7/32"]\nnested = true\nside_endpoint = "example.net:4297"\npersistent_keepalive = 25\n',
        head + 'port = 7\nlisten_port = 70000\nprefix = "fd00::/16"\naddress = "fd00::1"\n[control]\nsocket = "/x"\n',
        head.replace("[side]", 'addresses = ["10.44.0.7/24"]\ntable = "main"\nthrow = ["10.0.0.0/8"]\nmtu = 1420\n'
                     'backend = "kernel"\nlisten_port = 4296\ninterface = "wg0"\n[side]'),
        "name = 1\n[production]\na.b.c = { x = [1, 2.5, true, 1979-05-27] }\n",
        'name = """\nx"""\n[[peer]]\n[[peer]]\n',
    ):
        yield text.encode()
    yield (ROOT / "docs" / "anubis.toml.example").read_bytes()


def card():
    lines = "anubis-card: 1\nname: jacinth\npublic-key: " + KEYS[0] + "\nside-public-key: " + KEYS[1] + "\nside-address: fd77::1\n"
    for more in ("", "endpoint: jacinth.example.net:4296\nside-endpoint: [2001:db8::1]:4297\naddress: 10.44.0.1\naddress: fd44::1\n",
                 "endpoint: x\n", "address: 127.0.0.1\n", "name: again\n"):
        digest = base64.b32encode(hashlib.blake2b((lines + more).encode(), digest_size=16).digest()[:10]).decode().lower()
        text = lines + more + "checksum: " + "-".join(digest[at:at + 4] for at in range(0, 16, 4)) + "\n"
        yield text.encode()
        yield "".join(f"> {line} \r\n" for line in text.splitlines()).encode()
        yield text.replace(" ", "\n").encode()
        yield text[:-3].encode()


def token():
    fields = [(1, bytes(range(32))), (2, struct.pack(">Q", 1790000000)), (3, b"petra"), (4, bytes([10, 44, 0, 8, 24])),
              (4, bytes(16) + b"\x40"), (5, b"jacinth"), (6, base64.b64decode(KEYS[0])), (7, base64.b64decode(KEYS[1])),
              (8, b"\xfd\x77" + bytes(14) + b"\x80"), (9, b"jacinth.example.net:4296"), (10, b"192.0.2.1:4297"),
              (11, struct.pack(">H", 4298)), (12, bytes(5)), (12, bytes(17))]

    def joined(some):
        return b"".join(bytes([kind, len(value)]) + value for kind, value in some)

    for data in (joined(fields), *(joined(fields[:i] + fields[i + 1:]) for i in range(len(fields)))):
        digits = base64.b32encode(data + hashlib.blake2b(data, digest_size=16).digest()[:8]).decode().lower().rstrip("=")
        yield b"anubis-invitation-" + digits.encode()
        yield data


def wg_quick():
    peer = f"[Peer]\nPublicKey = {KEYS[0]}\n"
    yield f"""[Interface]
PrivateKey = {KEYS[1]}
ListenPort = 51820
FwMark = 0xca6c
Address = 10.44.0.1/24, fd44::1/64
DNS = 10.44.0.1, example.net
MTU = 1420
Table = off
PreUp = a
PostUp = b # c
PreDown = d
PostDown = e
SaveConfig = true

{peer}PresharedKey = {KEYS[2]}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = [2001:db8::1]:51820
PersistentKeepalive = 25
""".encode()
    yield f"[interface]\r\nfwmark=off\r\ntable=main\r\n{peer}persistentkeepalive = off\nallowedips =\n".encode()
    yield f"[Interface]\nPostUpp = x\nMTU =\n{peer}{peer}[Other]\nx = y\nhello\n".encode()
    yield f"Address = ::1\n[Interface]\n[Interface]\nPrivateKey = {KEYS[1]}\nPrivateKey = x\n[Peer]\n".encode()


def session_store():
    first = b"anubis-sessions 2 5f1c0bd0-6a0e-4a55-9b0c-3f6d5d2f1e11\n"
    yield first
    yield first + f"{KEYS[0]} up 1000000000 - once+ 60 -\n{KEYS[1]} up-renewing 0 7200000000000 - - -\n".encode()
    yield first.replace(b"5f", b"6f") + f"{KEYS[0]} unsettled-for-good - - - - -\n{KEYS[1]} away - - persistent - -\nx".encode()
    yield first + f"{KEYS[0]} unsettled - - always - 9\n{KEYS[0]} gone\n".encode()


def texts():
    for text in (
        "192.0.2.1", "10.44.0.0/24", "2001:db8::1", "fd44::7/64", "::ffff:192.0.2.1", "[2001:db8::1]:4296",
        "192.0.2.1:4296", "example.net:4296", "jacinth.example.net", "90s", "1h30m", "7d", "36500d", "36500d1s", KEYS[0],
        base64.b64encode(bytes(32)).decode(), base64.b64encode(b"\xed" + b"\xff" * 30 + b"\x7f").decode(),
        "a sentence with \x1b[31m and \u0085 and \u2026 that is longer than forty bytes",
    ):
        yield text.encode()


# --- WireGuard and the kernel ----------------------------------------------------------------------------------------


def uapi():
    key = "ab" * 32
    yield (f"private_key={key}\nlisten_port=4296\nfwmark=7\npublic_key={key}\npreshared_key={'cd' * 32}\n"
           "endpoint=192.0.2.1:4296\nallowed_ip=10.44.0.0/24\nallowed_ip=fd44::/64\npersistent_keepalive_interval=25\n"
           "last_handshake_time_sec=1700000000\nlast_handshake_time_nsec=5\nrx_bytes=1\ntx_bytes=2\nprotocol_version=1\n"
           f"public_key={'12' * 32}\nendpoint=[fe80::1%3]:51820\nerrno=0\n\n").encode()
    yield b"errno=0\n\n"
    yield b"errno=-98\n\n"
    yield b"listen_port=99999\n"


def attribute(kind, value):
    size = 4 + len(value)
    return struct.pack("=HH", size, kind) + value + b"\0" * (-size % 4)


def nested(kind, *values):
    return attribute(kind | 0x8000, b"".join(values))


def netlink():
    def allowed_ip(family, address, length):
        return nested(0, attribute(1, struct.pack("=H", family)), attribute(2, address), attribute(3, bytes([length])))

    def peer(key, *more):
        return nested(0, attribute(1, key), *more)

    v4 = struct.pack("=H", 2) + struct.pack(">H", 4296) + bytes([192, 0, 2, 1]) + bytes(8)
    v6 = struct.pack("=H", 10) + struct.pack(">HI", 4296, 0) + b"\xfe\x80" + bytes(13) + b"\1" + struct.pack("=I", 3)
    everything = peer(b"P" * 32, attribute(2, b"S" * 32), attribute(4, v4), attribute(5, struct.pack("=H", 25)),
                      attribute(6, struct.pack("=qq", 1700000000, 5)), attribute(7, struct.pack("=Q", 1)),
                      attribute(8, struct.pack("=Q", 2)),
                      nested(9, allowed_ip(2, bytes([10, 44, 0, 0]), 24), allowed_ip(10, bytes(16), 0)))
    device = (attribute(1, struct.pack("=I", 7)) + attribute(2, b"wg0\0") + attribute(4, b"K" * 32)
              + attribute(6, struct.pack("=H", 4296)) + attribute(7, struct.pack("=I", 9)))
    yield block(device)
    yield block(device + nested(8, everything))
    yield block(device + nested(8, everything, peer(b"Q" * 32, attribute(4, v6))))
    more = peer(b"P" * 32, nested(9, *[allowed_ip(2, bytes([10, 44, n, 0]), 24) for n in range(20)]))
    yield block(device + nested(8, everything)) + block(nested(8, more)) + block(nested(8, peer(b"R" * 32)))
    yield block(attribute(1, struct.pack("=H", 31)) + attribute(2, b"wireguard\0"))


def message(kind, payload, flags=0, port=0, sequence=0):
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, port) + payload + b"\0" * (-len(payload) % 4)


def links_and_routes():
    def link(name, kind=16):
        return message(kind, struct.pack("=BxHiII", 0, 1, 7, 1, 0) + attribute(3, name + b"\0")
                       + attribute(4, struct.pack("=I", 1420)) + nested(18, attribute(1, b"wireguard\0"))
                       + attribute(20, b"alias\0"))

    address = struct.pack("=BBBBI", 2, 24, 0, 0, 7) + attribute(1, bytes([10, 44, 0, 7])) \
        + attribute(2, bytes([10, 44, 0, 7])) + attribute(11, b"\xd6")
    route = struct.pack("=BBBBBBBBI", 2, 24, 0, 0, 214, 214, 253, 1, 0) + attribute(1, bytes([10, 44, 0, 0])) \
        + attribute(15, struct.pack("=I", 214)) + attribute(4, struct.pack("=I", 7)) + attribute(6, struct.pack("=I", 0))
    throw = struct.pack("=BBBBBBBBI", 10, 64, 0, 0, 214, 214, 0, 9, 0) + attribute(1, b"\xfd\x44" + bytes(14)) \
        + attribute(15, struct.pack("=I", 214)) + attribute(6, struct.pack("=I", 1024))
    via = route + attribute(5, bytes([192, 0, 2, 1])) + attribute(7, bytes([10, 44, 0, 7]))
    rule = struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 254, 0, 0, 1, 0) + attribute(6, struct.pack("=I", 30000)) \
        + attribute(15, struct.pack("=I", 214)) + attribute(21, b"\xd6") + attribute(22, b"\x11") \
        + attribute(23, struct.pack("=HH", 4296, 4297)) + attribute(10, struct.pack("=I", 7)) \
        + attribute(16, struct.pack("=I", 0xFF)) + attribute(3, b"eth0\0") + attribute(17, b"wg0\0")
    error = struct.pack("=i", -17) + struct.pack("=IHHII", 16, 24, 0, 0, 0) + attribute(1, b"File exists\0")
    return [link(b"wg0"), link(b"anubis0", 17), message(20, address), message(21, address), message(24, route),
            message(25, route), message(24, throw), message(24, via), message(32, rule), message(33, rule),
            message(2, error, 0x300), message(2, struct.pack("=i", 0) + bytes(16)), message(3, struct.pack("=i", 0), 2)]


def rtnetlink():
    messages = links_and_routes()
    for each in messages:
        yield b"\0" + block(each)
    yield b"".join(b"\0" + block(each) for each in messages)
    yield b"\0" + block(b"".join(messages)) + b"\xf2" + b"\2" + block(messages[0][:40])


def transaction():
    messages = links_and_routes()
    link, address, done = messages[0], messages[2], messages[12]
    good, bad = messages[11], messages[10]
    yield b"\0\0" + b"\0" + block(link)
    yield b"\0\0" + b"\0" + block(bad)
    yield b"\1\0" + b"\0" + block(address + address) + b"\0" + block(done)
    yield b"\1\0" + b"\0" + block(message(20, address[16:], 0x12)) + b"\0" + block(done)
    yield b"\2\0" + b"\0" + block(good) + b"\1" + block(message(2, struct.pack("=i", 0) + bytes(16), 0, 0, 2))
    yield b"\2\0" + b"\xf2" + b"\0" + b"\0" + block(bad) + b"\xf0\xf0\2" + block(good)


# --- the wire ---------------------------------------------------------------------------------------------------------


def packet():
    udp = bytes.fromhex("10c810c900100000") + b"A" * 8
    ends = bytes([192, 0, 2, 1, 192, 0, 2, 2])

    def ipv4(first=0x45, fragment=0, protocol=17, options=b"", payload=udp):
        return bytes([first, 0, 0, 44, 0, 0]) + struct.pack(">H", fragment) + bytes([64, protocol, 0, 0]) + ends + options + payload

    yield ipv4()
    yield ipv4(first=0x46, options=bytes(4))
    yield ipv4(first=0x44)
    yield ipv4(fragment=1)
    yield ipv4(protocol=6)
    yield ipv4(payload=udp[:7])
    for first in (8, 0, 3):
        yield ipv4(protocol=1, payload=bytes([first, 0, 0, 0, 0, 1, 0, 2]) + b"marker, marker, marker, marker, ")
    yield bytes([0x60, 0, 0, 0, 0, 16, 17, 64]) + bytes(32) + udp
    yield bytes([0x60, 0, 0, 0, 0, 16, 58, 64]) + bytes(32) + udp
    yield bytes([0x60, 0, 0, 0, 0, 4, 17, 64]) + bytes(32) + udp[:4]
    for first in (128, 129, 3):
        yield bytes([first, 0, 0, 0, 0, 1, 0, 2]) + b"marker, marker, "
    yield b""
    yield b"\x45"


TARGETS = [card, config, control, datagram, gatekeepers, netd_channel, netlink, packet, reply, request, rtnetlink,
           session_store, texts, token, transaction, uapi, wg_quick]


def main():
    folder = pathlib.Path(sys.argv[1])
    for target in TARGETS:
        place = folder / target.__name__
        place.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(target()):
            (place / f"seed-{number:03}").write_bytes(bytes(seed))


if __name__ == "__main__":
    main()
