#!/usr/bin/env python3
"""Holds the test vectors to docs/protocol.md, by an implementation that was written from that page alone. It shares
nothing with the library but the page, so that a vector which both agree on is what the page says."""

import base64
import hashlib
import ipaddress
import json
import pathlib
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

sys.dont_write_bytecode = True  # the source tree stays as it is
import primitives  # noqa: E402

HERE = pathlib.Path(__file__).parent

# Section 3.2 and 3.3.
CONTEXT = b"anubis message key, version 1"
SUITE_NAMES = {1: b"XChaCha20-Poly1305-IETF", 2: b"BLAKE2b-AES-256-GCM"}


def derive_message_keys(suite, own_private, own_public, peer_public, preshared):
    """(sending, receiving), or None."""
    shared = primitives.x25519(own_private, peer_public)
    if shared == bytes(32):
        return None
    low, high = sorted([own_public, peer_public])
    digest = hashlib.blake2b(shared + low + high, digest_size=64).digest()
    from_high, from_low = digest[:32], digest[32:]
    name = SUITE_NAMES[suite]
    message = bytes([len(CONTEXT)]) + CONTEXT + bytes([len(name)]) + name
    message += b"\0" if preshared is None else b"\1" + preshared
    keys = [hashlib.blake2b(message, key=key, digest_size=32).digest() for key in (from_low, from_high)]
    return tuple(keys) if own_public == low else tuple(reversed(keys))


def is_usable(public):
    """Section 3.1."""
    return int.from_bytes(public, "little") < 2**255 - 19 and primitives.x25519(bytes([1] * 32), public) != bytes(32)


def side_address(public, prefix):
    """Section 2.2."""
    return ipaddress.IPv6Address(prefix + hashlib.blake2b(public, digest_size=32).digest()[:14])


class Dropped(Exception):
    pass


def decode_header(datagram):
    """Sections 4.1 and 4.3, checks 1 to 7."""
    for passed, reason in [
        (len(datagram) >= 8, "length"),
        (datagram[:4] == b"ANUB", "magic"),
        (datagram[4:5] == b"\1", "version"),
        (512 <= len(datagram) <= 1232, "length"),
        (datagram[5:6] in (b"\1", b"\2"), "type"),
        (len(datagram) > 6 and datagram[6] in SUITE_NAMES, "suite"),
        (datagram[7:8] == b"\0", "reserved"),
    ]:
        if not passed:
            raise Dropped(reason)
    return {
        "type": datagram[5],
        "suite": datagram[6],
        "request_id": datagram[8:24].hex(),
        "sender": base64.b64encode(datagram[24:56]).decode(),
        "nonce": datagram[56:80].hex(),
    }


def seal(suite, key, nonce, associated, plaintext):
    """Section 3.3."""
    if suite == 1:
        return primitives.aead_seal(key, nonce, associated, plaintext)
    subkey = hashlib.blake2b(nonce[:12], key=key, digest_size=32).digest()
    return AESGCM(subkey).encrypt(nonce[12:], plaintext, associated)


def open_sealed(suite, key, nonce, associated, sealed):
    """The plaintext, or None."""
    if suite == 1:
        return primitives.aead_open(key, nonce, associated, sealed)
    subkey = hashlib.blake2b(nonce[:12], key=key, digest_size=32).digest()
    try:
        return AESGCM(subkey).decrypt(nonce[12:], sealed, associated)
    except InvalidTag:
        return None


def seal_message(header, key, payload, size):
    """Sections 4.1 and 4.2."""
    nonce = bytes.fromhex(header["nonce"])
    encoded = b"ANUB" + bytes([1, header["type"], header["suite"], 0]) + bytes.fromhex(header["request_id"])
    encoded += base64.b64decode(header["sender"]) + nonce
    plaintext = len(payload).to_bytes(2, "big") + payload
    plaintext += bytes(size - 96 - len(plaintext))
    return encoded + seal(header["suite"], key, nonce, encoded, plaintext)


def open_message(key, datagram):
    """Sections 4.2 and 4.3, checks 12 and 13."""
    plaintext = open_sealed(datagram[6], key, datagram[56:80], datagram[:80], datagram[80:])
    if plaintext is None:
        raise Dropped("authentication")
    end = 2 + int.from_bytes(plaintext[:2], "big")
    if end > len(plaintext) or any(plaintext[end:]):
        raise Dropped("padding")
    return plaintext[2:end]


def preshared_key_id(key):
    """Section 9.4."""
    return hashlib.blake2b(b"anubis preshared key id, version 1", key=key, digest_size=16).digest()


def of_invitation(secret, context):
    """Section 13.1."""
    return hashlib.blake2b(context, key=secret, digest_size=32).digest()


def prove(secret, host, production, side):
    """Section 13.3: the proof, and the public key that it is held against."""
    key = Ed25519PrivateKey.from_private_bytes(of_invitation(secret, b"anubis invitation proof, version 1"))
    message = b"anubis enrolment, version 1" + bytes([len(host)]) + host + production + side
    return key.sign(message), key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


class Fault(Exception):
    pass


class Reader:
    """Section 5.2."""

    def __init__(self, data):
        self.data = data

    def varint(self, max_size=10, limit=2**64):
        value = 0
        for i, byte in enumerate(self.data[:max_size]):
            value |= (byte & 0x7F) << 7 * i
            if byte < 0x80:
                if value >= limit:
                    raise Fault
                self.data = self.data[i + 1 :]
                return value
        raise Fault

    def take(self, size):
        if size > len(self.data):
            raise Fault
        taken, self.data = self.data[:size], self.data[size:]
        return taken


REQUEST = {1: "operation", 2: "token", 3: "suites", 4: "listen_port", 5: "lease_seconds", 6: "successor", 7: "responder_initiates", 8: "preshared_key",
           9: "for_good", 10: "held", 11: "released", 12: "afresh", 13: "asks", 14: "enrolment"}
REPLY = {
    1: "result",
    2: "text",
    3: "token",
    4: "listen_port",
    5: "peer_presence",
    6: "lease_seconds",
    7: "state",
    8: "up_seconds",
    9: "preshared_key_id",
    10: "suites",
    11: "responder_name",
    12: "peer_name",
}
BYTES = {"enrolment", "token", "successor", "text", "preshared_key", "preshared_key_id", "held", "released", "responder_name", "peer_name"}


def decode_fields(payload, names):
    fields = {name: b"" if name in BYTES else 0 for name in names.values()}
    fields["suites"] = []
    reader = Reader(payload)
    while reader.data:
        tag = reader.varint(5, 2**32)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise Fault
        name = names.get(number)
        if wire_type == 0:
            value = reader.varint()
        elif wire_type == 1:
            value = reader.take(8)
        elif wire_type == 2:
            value = reader.take(reader.varint(5))
        elif wire_type == 5:
            value = reader.take(4)
        else:
            raise Fault
        if name is None:
            continue
        if name == "suites" and wire_type == 2:
            packed = Reader(value)
            while packed.data:
                fields[name].append(packed.varint())
        elif wire_type != (2 if name in BYTES else 0):
            raise Fault
        elif name == "suites":
            fields[name].append(value)
        else:
            fields[name] = value
    return fields


def known_suites(numbers):
    """Each once, in the order of the message."""
    return [number for number in dict.fromkeys(numbers) if number in SUITE_NAMES]


def decode_request(payload):
    """Section 5.3: what the vectors call request, or the name of the result."""
    try:
        fields = decode_fields(payload, REQUEST)
    except Fault:
        return "BAD_REQUEST"
    if fields["operation"] == 0:
        return "BAD_REQUEST"
    if fields["operation"] > 7:
        return "VERSION"
    if (
        len(fields["token"]) not in (0, 16)
        or fields["listen_port"] > 65535
        or fields["lease_seconds"] > 10 * 365 * 24 * 3600
        or len(fields["successor"]) not in (0, 32)
        or fields["responder_initiates"] > 1
        or len(fields["preshared_key"]) not in (0, 32)
        or fields["preshared_key"] == bytes(32)
        or max(fields["for_good"], fields["afresh"], fields["asks"]) > 1
        or len(fields["held"]) % 40
        or any(int.from_bytes(fields["held"][i + 32 : i + 40], "big") > 2**48 for i in range(0, len(fields["held"]), 40))
        or len(fields["released"]) % 32
        or len(fields["enrolment"]) not in ((128,) if fields["operation"] == 7 else (0, 128))
    ):
        return "BAD_REQUEST"
    if fields["operation"] != 7:
        del fields["enrolment"]
    fields["token"] = fields["token"].hex()
    fields["suites"] = known_suites(fields["suites"])
    fields["successor"] = base64.b64encode(fields["successor"]).decode()
    for name in ("preshared_key", "held", "released"):
        fields[name] = fields[name].hex()
    return fields


def printable(text):
    """Section 5.4."""
    out = ""
    while text:
        for size in range(1, 5):
            try:
                character = text[:size].decode()
                break
            except UnicodeDecodeError:
                continue
        else:
            character, size = "", 1
        control = character and (ord(character) < 0x20 or 0x7F <= ord(character) <= 0x9F)
        out += "?" * size if control or not character else character
        text = text[size:]
    return out


def decode_reply(payload):
    """Section 5.4: what the vectors call reply, or "malformed"."""
    try:
        fields = decode_fields(payload, REPLY)
    except Fault:
        return "malformed"
    if (
        fields["result"] == 0
        or len(fields["token"]) != 16
        or fields["listen_port"] > 65535
        or fields["peer_presence"] > 2
        or fields["lease_seconds"] > 10 * 365 * 24 * 3600
        or not 1 <= fields["state"] <= 5
        or fields["up_seconds"] >= 2**32
        or len(fields["preshared_key_id"]) not in (0, 16)
    ):
        return "malformed"
    fields["token"] = fields["token"].hex()
    for name in ("text", "responder_name", "peer_name"):
        fields[name] = printable(fields[name])
    fields["suites"] = known_suites(fields["suites"])
    fields["preshared_key_id"] = fields["preshared_key_id"].hex()
    return fields


failures = 0
checked = 0


def expect(what, got, wanted):
    global failures, checked
    checked += 1
    if got != wanted:
        failures += 1
        print(f"{what}:\n  the page says {got}\n  the vector   {wanted}")


def load(name):
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def main():
    primitives.check_primitives()

    vectors = load("message_keys.json")
    for entry in vectors["keys"]:
        a, b = (base64.b64decode(entry[f"{end}_private_key"]) for end in "ab")
        a_public, b_public = primitives.public_key(a), primitives.public_key(b)
        expect(entry["name"], base64.b64encode(a_public).decode(), entry["a_public_key"])
        expect(entry["name"], base64.b64encode(b_public).decode(), entry["b_public_key"])
        expect(entry["name"], is_usable(a_public) and is_usable(b_public), True)
        preshared = base64.b64decode(entry["preshared_key"]) or None
        keys = derive_message_keys(entry["suite"], a, a_public, b_public, preshared)
        expect(entry["name"], [key.hex() for key in keys], [entry["a_to_b"], entry["b_to_a"]])
        keys = derive_message_keys(entry["suite"], b, b_public, a_public, preshared)
        expect(entry["name"], [key.hex() for key in keys], [entry["b_to_a"], entry["a_to_b"]])
    for entry in vectors["unusable"]:
        expect(entry["name"], is_usable(base64.b64decode(entry["public_key"])), False)
    for entry in vectors["preshared_key_ids"]:
        key = bytes.fromhex(entry["preshared_key"])
        expect("preshared key id", preshared_key_id(key).hex(), entry["id"])

    for entry in load("side_addresses.json")["addresses"]:
        address = side_address(base64.b64decode(entry["side_public_key"]), bytes.fromhex(entry["prefix"]))
        expect(entry["name"], address, ipaddress.IPv6Address(entry["address"]))

    second = load("aes256gcm.json")
    for entry in load("messages.json")["messages"] + second["messages"]:
        key, payload = bytes.fromhex(entry["key"]), bytes.fromhex(entry["payload"])
        datagram = bytes.fromhex(entry["datagram"])
        expect(entry["name"], seal_message(entry["header"], key, payload, entry["size"]).hex(), entry["datagram"])
        expect(entry["name"], decode_header(datagram), entry["header"])
        expect(entry["name"], open_message(key, datagram).hex(), entry["payload"])
        if entry["header"]["type"] == 1:
            expect(entry["name"], decode_request(payload), entry["request"])
        else:
            expect(entry["name"], decode_reply(payload), entry["reply"])

    for entry in load("dropped.json")["dropped"] + second["dropped"]:
        datagram = bytes.fromhex(entry["datagram"])
        try:
            decode_header(datagram)
            open_message(bytes.fromhex(entry["key"]), datagram)
            reason = "accepted"
        except Dropped as dropped:
            reason = str(dropped)
        expect(entry["name"], reason, entry["reason"])

    for entry in load("enrolments.json")["enrolments"]:
        secret = bytes.fromhex(entry["secret"])
        for key, context in [("side_", b"side"), ("", b"production")]:
            private = of_invitation(secret, b"anubis invitation " + context + b" key, version 1")
            public = base64.b64encode(primitives.public_key(private)).decode()
            expect(entry["name"], public, entry[f"one_time_{key}public_key"])
        production, side = (base64.b64decode(entry[key]) for key in ("public_key", "side_public_key"))
        proof, public = prove(secret, entry["host"].encode(), production, side)
        expect(entry["name"], proof.hex(), entry["proof"])
        expect(entry["name"], base64.b64encode(public).decode(), entry["proof_public_key"])
        request = decode_request(bytes.fromhex(entry["payload"]))
        expect(entry["name"], request["enrolment"], production + side + proof)

    vectors = load("payloads.json")
    for entry in vectors["requests"]:
        expect(entry["name"], decode_request(bytes.fromhex(entry["payload"])), entry.get("request", entry.get("fault")))
    for entry in vectors["replies"]:
        expect(entry["name"], decode_reply(bytes.fromhex(entry["payload"])), entry.get("reply", entry.get("fault")))

    print(f"{checked} checks, {failures} failed")
    return 1 if failures or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
