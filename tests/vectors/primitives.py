"""The primitives that docs/protocol.md builds on, written from their specifications and from nothing else: X25519
(RFC 7748), ChaCha20-Poly1305 (RFC 8439), XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03). BLAKE2b (RFC 7693) is
Python's own. Slow and not in constant time: for checking test vectors, never for secrets.
"""

import struct

P = 2**255 - 19


def x25519(scalar: bytes, point: bytes) -> bytes:
    """RFC 7748, section 5."""
    clamped = bytearray(scalar)
    clamped[0] &= 248
    clamped[31] = clamped[31] & 127 | 64
    k = int.from_bytes(clamped, "little")
    x1 = int.from_bytes(point, "little") % 2**255 % P
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a % P, b * b % P
        e = aa - bb
        da, cb = (x3 - z3) * a % P, (x3 + z3) * b % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, x3, z2, z3 = x3, x2, z3, z2
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def public_key(private: bytes) -> bytes:
    return x25519(private, (9).to_bytes(32, "little"))


def _rotate(value: int, count: int) -> int:
    return (value << count | value >> 32 - count) & 0xFFFFFFFF


def _rounds(state: list) -> list:
    """Twenty rounds: RFC 8439, section 2.3, without the final addition."""
    x = list(state)

    def quarter(a, b, c, d):
        x[a] = x[a] + x[b] & 0xFFFFFFFF
        x[d] = _rotate(x[d] ^ x[a], 16)
        x[c] = x[c] + x[d] & 0xFFFFFFFF
        x[b] = _rotate(x[b] ^ x[c], 12)
        x[a] = x[a] + x[b] & 0xFFFFFFFF
        x[d] = _rotate(x[d] ^ x[a], 8)
        x[c] = x[c] + x[d] & 0xFFFFFFFF
        x[b] = _rotate(x[b] ^ x[c], 7)

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for diagonal in range(4):
            quarter(diagonal, (diagonal + 1) % 4 + 4, (diagonal + 2) % 4 + 8, (diagonal + 3) % 4 + 12)
    return x


_CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")


def _block(key: bytes, counter: int, nonce: bytes) -> bytes:
    state = [*_CONSTANTS, *struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce)]
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(state, _rounds(state))))


def _chacha20(key: bytes, counter: int, nonce: bytes, data: bytes) -> bytes:
    stream = b"".join(_block(key, counter + i, nonce) for i in range((len(data) + 63) // 64))
    return bytes(a ^ b for a, b in zip(data, stream))


def _poly1305(key: bytes, message: bytes) -> bytes:
    """RFC 8439, section 2.5."""
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    accumulator = 0
    for i in range(0, len(message), 16):
        accumulator = (accumulator + int.from_bytes(message[i : i + 16] + b"\1", "little")) * r % (2**130 - 5)
    return (accumulator + int.from_bytes(key[16:], "little") & 2**128 - 1).to_bytes(16, "little")


def _hchacha20(key: bytes, nonce: bytes) -> bytes:
    """draft-irtf-cfrg-xchacha-03, section 2.2."""
    x = _rounds([*_CONSTANTS, *struct.unpack("<8I", key), *struct.unpack("<4I", nonce)])
    return struct.pack("<8I", *x[:4], *x[12:])


def _tag(key: bytes, nonce: bytes, associated: bytes, ciphertext: bytes) -> bytes:
    """RFC 8439, section 2.8."""

    def padded(data):
        return data + bytes(-len(data) % 16)

    lengths = struct.pack("<QQ", len(associated), len(ciphertext))
    return _poly1305(_block(key, 0, nonce)[:32], padded(associated) + padded(ciphertext) + lengths)


def _derive(key: bytes, nonce: bytes) -> tuple:
    """draft-irtf-cfrg-xchacha-03, section 2.3."""
    return _hchacha20(key, nonce[:16]), bytes(4) + nonce[16:]


def aead_seal(key: bytes, nonce: bytes, associated: bytes, plaintext: bytes) -> bytes:
    key, nonce = _derive(key, nonce)
    ciphertext = _chacha20(key, 1, nonce, plaintext)
    return ciphertext + _tag(key, nonce, associated, ciphertext)


def aead_open(key: bytes, nonce: bytes, associated: bytes, sealed: bytes):
    """The plaintext, or None."""
    key, nonce = _derive(key, nonce)
    if len(sealed) < 16 or _tag(key, nonce, associated, sealed[:-16]) != sealed[-16:]:
        return None
    return _chacha20(key, 1, nonce, sealed[:-16])


def check_primitives() -> None:
    """The specifications' own test vectors: RFC 7748, section 6.1; draft-irtf-cfrg-xchacha-03, section A.3.1."""
    alice = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    bob = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    assert x25519(alice, public_key(bob)).hex() == shared
    assert x25519(bob, public_key(alice)).hex() == shared

    key, nonce = bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58))
    associated = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    plaintext = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        b"sunscreen would be it."
    )
    sealed = aead_seal(key, nonce, associated, plaintext)
    assert sealed[:8].hex() == "bd6d179d3e83d43b"
    assert sealed[-16:].hex() == "c0875924c1c7987947deafd8780acf49"
    assert aead_open(key, nonce, associated, sealed) == plaintext
    assert aead_open(key, nonce, associated, bytes([sealed[0] ^ 1]) + sealed[1:]) is None
