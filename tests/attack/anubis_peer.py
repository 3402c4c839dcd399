"""A peer of Anubis' protocol that can also be hostile. Written against docs/protocol.md and tests/vectors,
with no code of the library's: what the two agree on is what the page says. Numbers in brackets are the page's sections.

For tests only: it keeps secrets in ordinary memory, and it will send whatever it is told to."""

import base64
import hashlib
import os
import socket
import struct
import time

import nacl.bindings
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.exceptions import CryptoError

MAGIC = b"ANUB"
REQUEST, REPLY = 1, 2
UP, DOWN, STATUS, BYE, RENEW = 1, 2, 3, 4, 5
SERVICE_PORT = 4298
SMALLEST = 512
RESULTS = {
    1: "OK",
    2: "DENIED",
    3: "STALE",
    4: "CONFLICT",
    5: "VERSION",
    6: "SUITE",
    7: "BUSY",
    8: "BAD_REQUEST",
    9: "INTERNAL",
    10: "NOT_UP",
}
# Those after which the token has been used up [6].
ACCEPTED = {"OK", "DENIED", "CONFLICT", "INTERNAL", "NOT_UP"}
STATES = {1: "down", 2: "going-up", 3: "up", 4: "going-down", 5: "failed"}


# --- keys [3.2] ------------------------------------------------------------------------------------------------------

CONTEXT = b"anubis message key, version 1"
SUITE_NAMES = {1: b"XChaCha20-Poly1305-IETF", 2: b"BLAKE2b-AES-256-GCM"}


def public_key(private):
    return nacl.bindings.crypto_scalarmult_base(private)


def message_keys(suite, own_private, peer_public, preshared=None):
    """(what we send with, what we receive with)"""
    own_public = public_key(own_private)
    low, high = sorted([own_public, peer_public])
    h = hashlib.blake2b(nacl.bindings.crypto_scalarmult(own_private, peer_public) + low + high).digest()
    from_high, from_low = h[:32], h[32:]
    name = SUITE_NAMES[suite]
    message = bytes([len(CONTEXT)]) + CONTEXT + bytes([len(name)]) + name
    message += b"\0" if preshared is None else b"\1" + preshared
    low_key, high_key = (hashlib.blake2b(message, key=key, digest_size=32).digest() for key in (from_low, from_high))
    return (low_key, high_key) if own_public == low else (high_key, low_key)


def side_address(side_public, prefix=b"\xfd\x77"):
    """[2.2]"""
    return socket.inet_ntop(socket.AF_INET6, prefix + hashlib.blake2b(side_public, digest_size=32).digest()[:14])


def preshared_key_id(key):
    """[9.4]"""
    return hashlib.blake2b(b"anubis preshared key id, version 1", key=key, digest_size=16).digest()


# --- sealing [3.3, 4] ------------------------------------------------------------------------------------------------


def subkey(key, nonce):
    return hashlib.blake2b(nonce[:12], key=key, digest_size=32).digest()


def seal(suite, key, nonce, associated, plaintext):
    if suite == 1:
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associated, nonce, key)
    return AESGCM(subkey(key, nonce)).encrypt(nonce[12:], plaintext, associated)


def opened(suite, key, nonce, associated, sealed):
    """None: it does not open."""
    try:
        if suite == 1:
            return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, associated, nonce, key)
        return AESGCM(subkey(key, nonce)).decrypt(nonce[12:], sealed, associated)
    except (CryptoError, InvalidTag):
        return None


def header(kind, suite, request_id, sender, nonce, version=1, reserved=0):
    return MAGIC + bytes([version, kind, suite, reserved]) + request_id + sender + nonce


def message(kind, suite, request_id, sender, key, payload, size=SMALLEST, plaintext=None, nonce=None):
    """A whole datagram. plaintext takes the place of the properly padded payload."""
    head = header(kind, suite, request_id, sender, nonce or os.urandom(24))
    if plaintext is None:
        plaintext = (struct.pack(">H", len(payload)) + payload).ljust(size - 96, b"\0")
    return head + seal(suite, key, head[56:80], head, plaintext)


# --- payloads [5] ----------------------------------------------------------------------------------------------------


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def number(field, value):
    return varint(field << 3) + varint(value)


def octets(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def request_payload(operation, token=b"", suites=(1,), listen_port=0, lease=0, successor=b"", responder_initiates=0, preshared_key=b""):
    payload = number(1, operation)
    if token:
        payload += octets(2, token)
    payload += b"".join(number(3, suite) for suite in suites)
    payload += number(4, listen_port) + number(5, lease)
    if successor:
        payload += octets(6, successor)
    payload += number(7, responder_initiates)
    return payload + (octets(8, preshared_key) if preshared_key else b"")


def reply_payload(result, token, listen_port=0, presence=0, lease=0, state=1, up_seconds=0, text=b"", preshared_key_id=b""):
    return (
        number(1, result)
        + octets(2, text)
        + octets(3, token)
        + number(4, listen_port)
        + number(5, presence)
        + number(6, lease)
        + number(7, state)
        + number(8, up_seconds)
        + octets(9, preshared_key_id)
    )


SUITES_OF_REPLY = 10


def fields(payload):
    """Of a payload that a well-behaved program made: a number, or bytes, by field number."""
    found, at = {}, 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = payload[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(payload):
        tag = read()
        value = read()
        if tag & 7 == 2:
            value, at = payload[at : at + value], at + value
        if tag >> 3 == SUITES_OF_REPLY:
            packed = set(value) if isinstance(value, bytes) else {value}  # numbers below 128
            found[tag >> 3] = found.get(tag >> 3, set()) | packed
        else:
            found[tag >> 3] = value
    return found


class Reply:
    def __init__(self, datagram, plaintext):
        length = struct.unpack(">H", plaintext[:2])[0]
        told = fields(plaintext[2 : 2 + length])
        self.datagram = datagram
        self.padding_is_zero = not any(plaintext[2 + length :])
        self.result = RESULTS.get(told.get(1, 0), f"result {told.get(1, 0)}")
        self.text = told.get(2, b"").decode()
        self.token = told.get(3, b"")
        self.listen_port = told.get(4, 0)
        self.presence = told.get(5, 0)
        self.lease = told.get(6, 0)
        self.state = STATES.get(told.get(7, 0), "?")
        self.up_seconds = told.get(8, 0)
        self.preshared_key_id = told.get(9, b"")
        self.suites = told.get(10, set())


# --- the peer --------------------------------------------------------------------------------------------------------


class Peer:
    """One end, with its socket on the side address; the other end is an anubisd."""

    def __init__(self, private, other_public, own_side, other_side, preshared=None, suite=1, suites=(1,)):
        self.private, self.public, self.other_public = private, public_key(private), other_public
        self.other_side, self.suite, self.suites = other_side, suite, suites
        self.use_preshared(preshared)
        self.token = b""
        self.socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.socket.bind((own_side, SERVICE_PORT))

    def use_suite(self, suite):
        self.suite = suite
        self.use_preshared(self.preshared)

    def use_preshared(self, preshared):
        self.preshared = preshared
        self.sending, self.receiving = message_keys(self.suite, self.private, self.other_public, preshared)

    def sealed(self, payload, kind=REQUEST, request_id=None, **how):
        return message(kind, self.suite, request_id or os.urandom(16), self.public, self.sending, payload, **how)

    def request(self, operation, token=None, size=SMALLEST, **told):
        told.setdefault("suites", self.suites)
        return self.sealed(request_payload(operation, self.token if token is None else token, **told), size=size)

    def reply_to(self, request, payload, request_id=None):
        """[2.1]: of the request's size."""
        return self.sealed(payload, kind=REPLY, request_id=request_id or request[8:24], size=len(request))

    def send(self, datagram):
        self.socket.sendto(datagram, (self.other_side, SERVICE_PORT))

    def receive(self, timeout):
        """The next datagram; None: silence."""
        self.socket.settimeout(timeout)
        try:
            return self.socket.recv(2048)
        except TimeoutError:
            return None

    def open(self, datagram):
        """The plaintext, after the checks of [4.3]; None: to be dropped."""
        if not SMALLEST <= len(datagram) <= 1232 or datagram[:5] != MAGIC + b"\1" or datagram[7] != 0:
            return None
        if datagram[6] != self.suite or datagram[24:56] != self.other_public:
            return None
        return opened(self.suite, self.receiving, datagram[56:80], datagram[:80], datagram[80:])

    def answer(self, request, timeout=4.0, repeat_after=0.5):
        """Sends the datagram, again and again, until its reply comes. None: it does not."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.send(request)
            again = min(end, time.monotonic() + repeat_after)
            while (left := again - time.monotonic()) > 0:
                datagram = self.receive(left)
                if datagram is None or datagram[5:6] != bytes([REPLY]) or datagram[8:24] != request[8:24]:
                    continue
                plaintext = self.open(datagram)
                if plaintext is not None:
                    reply = Reply(datagram, plaintext)
                    self.token = reply.token or self.token
                    return reply
        return None

    def drain(self):
        """Throws away what has come."""
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(2048)
        except BlockingIOError:
            pass

    def silence(self, seconds=0.15):
        return self.receive(seconds) is None


def key_file(path):
    with open(path, encoding="ascii") as file:
        return base64.b64decode(file.read())
