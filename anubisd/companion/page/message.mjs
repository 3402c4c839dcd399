// The messages of docs/protocol.md as a companion needs them: how a request is made and sealed, and how a reply is
// opened and read. Bytes in, bytes out; `sodium` is libsodium-wrappers, ready.

export const UP = 1, DOWN = 2, STATUS = 3, RENEW = 5;
export const OK = 1, STALE = 3, BUSY = 7;
export const STATES = { 1: "down", 2: "going-up", 3: "up", 4: "going-down", 5: "failed" };
export const REQUEST_SIZE = 512;

const MAGIC = [0x41, 0x4e, 0x55, 0x42], VERSION = 1, REQUEST = 1, REPLY = 2;
const SUITE = 1, SUITE_NAME = "XChaCha20-Poly1305-IETF", CONTEXT = "anubis message key, version 1";
const ID = 8, SENDER = 24, NONCE = 56, HEADER = 80, TAG = 16;

const text = (string) => new TextEncoder().encode(string);
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
export const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
const isBelow = (a, b) => {
  const i = a.findIndex((byte, at) => byte !== b[at]);
  return i >= 0 && a[i] < b[i];
};

// Section 3.2: one key for each direction. Throws if the other key is of small order.
export function messageKeys(sodium, ownPrivate, ownPublic, otherPublic, suiteName = SUITE_NAME, presharedKey = null) {
  const exchange = isBelow(ownPublic, otherPublic) ? sodium.crypto_kx_client_session_keys : sodium.crypto_kx_server_session_keys;
  const { sharedRx, sharedTx } = exchange(ownPublic, ownPrivate, otherPublic);
  const said = join([CONTEXT.length], text(CONTEXT), [suiteName.length], text(suiteName),
    presharedKey ? join([1], presharedKey) : [0]);
  const mix = (exchanged) => sodium.crypto_generichash(32, said, exchanged);
  return { sending: mix(sharedTx), receiving: mix(sharedRx) };
}

// --- payloads, section 5

// A companion offers the one suite that every host has. All numbers here fit one byte.
export function createRequest(operation, token = null) {
  const bytes = (field, value) => [(field << 3) | 2, value.length, ...value];
  return Uint8Array.from([1 << 3, operation, ...(token ? bytes(2, token) : []), ...bytes(3, [SUITE])]);
}

// A varint of at most so many bytes, and where it ends; null if there is none.
function varint(bytes, at, most) {
  let value = 0n;
  for (let i = 0; i < most && at + i < bytes.length; ++i) {
    value |= BigInt(bytes[at + i] & 127) << BigInt(7 * i);
    if (bytes[at + i] < 128) return value < 1n << (most === 5 ? 32n : 64n) ? { value, end: at + i + 1 } : null;
  }
  return null;
}

const isVarints = (bytes) => {
  for (let at = 0; at < bytes.length; ) {
    const one = varint(bytes, at, 10);
    if (!one) return false;
    at = one.end;
  }
  return true;
};

// The fields of a payload by their numbers, the last of each; null if it is malformed.
function fields(payload) {
  const found = new Map();
  for (let at = 0; at < payload.length; ) {
    const tag = varint(payload, at, 5);
    if (!tag || tag.value < 8n) return null;
    const type = Number(tag.value & 7n);
    const number = Number(tag.value >> 3n);
    if (type === 0) {
      const one = varint(payload, tag.end, 10);
      if (!one) return null;
      found.set(number, { type, value: one.value });
      at = one.end;
      continue;
    }
    const fixed = { 1: 8n, 5: 4n }[type];
    const size = fixed ? { value: fixed, end: tag.end } : type === 2 ? varint(payload, tag.end, 5) : null;
    if (!size || size.end + Number(size.value) > payload.length) return null;
    at = size.end + Number(size.value);
    found.set(number, { type, value: payload.subarray(size.end, at) });
  }
  return found;
}

const MAX_LEASE = 315360000n, MAX_UP = 4294967295n;

// None (null) when it is malformed or out of range, as section 5.4 says.
export function readReply(payload) {
  const found = fields(payload);
  if (!found) return null;
  let good = true;
  const number = (field, min, max) => {
    const one = found.get(field);
    if (one && one.type !== 0) good = false;
    const value = one && one.type === 0 ? one.value : 0n;
    if (value < min || value > max) good = false;
    return Number(value);
  };
  const bytes = (field, ...sizes) => {
    const one = found.get(field);
    if (one && one.type !== 2) good = false;
    const value = one && one.type === 2 ? one.value : new Uint8Array(0);
    if (sizes.length && !sizes.includes(value.length)) good = false;
    return value;
  };
  const words = (field) => new TextDecoder().decode(bytes(field)).replace(/[\u0000-\u001f\u007f-\u009f\ufffd]/g, "?");
  const reply = {
    result: number(1, 1n, (1n << 64n) - 1n),
    text: words(2),
    token: Uint8Array.from(bytes(3, 16)),
    listenPort: number(4, 0n, 65535n),
    presence: number(5, 0n, 2n),
    lease: number(6, 0n, MAX_LEASE),
    state: number(7, 1n, 5n),
    upFor: number(8, 0n, MAX_UP),
    host: words(11),
    peer: words(12),
  };
  bytes(9, 0, 16);
  const suites = found.get(10);
  if (suites && suites.type !== 0 && !(suites.type === 2 && isVarints(suites.value))) good = false;
  return good ? reply : null;
}

// --- messages, section 4

export function sealRequest(sodium, sending, ownPublic, payload, size = REQUEST_SIZE, id = sodium.randombytes_buf(16),
  nonce = sodium.randombytes_buf(24)) {
  const header = join(MAGIC, [VERSION, REQUEST, SUITE, 0], id, ownPublic, nonce);
  const plain = new Uint8Array(size - HEADER - TAG);
  plain.set([payload.length >> 8, payload.length & 255]);
  plain.set(payload, 2);
  const sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, header, null, nonce, sending);
  return { id, message: join(header, sealed) };
}

// The payload of the reply to the request of that id; null if it is anything else.
export function openReply(sodium, receiving, otherPublic, id, message) {
  if (message.length < REQUEST_SIZE || !equal(message.subarray(0, ID), [...MAGIC, VERSION, REPLY, SUITE, 0])) return null;
  if (!equal(message.subarray(ID, SENDER), id) || !equal(message.subarray(SENDER, NONCE), otherPublic)) return null;
  let plain;
  try {
    plain = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, message.subarray(HEADER), message.subarray(0, HEADER),
      message.subarray(NONCE, HEADER), receiving);
  } catch {
    return null; // that is how libsodium says that it is not authentic
  }
  const size = (plain[0] << 8) | plain[1];
  if (size > plain.length - 2 || plain.subarray(2 + size).some((byte) => byte !== 0)) return null;
  return plain.subarray(2, 2 + size);
}

// --- the key that a link brings: "1.PRIVATE.SERVER", each 32 bytes in base64url without padding

export function parseKey(fragment) {
  const [, own, server] = /^#?1\.([\w-]{43})\.([\w-]{43})$/.exec(fragment) ?? [];
  if (!own) return null;
  const bytes = (part) => Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/") + "="), (c) => c.charCodeAt(0));
  return { ownPrivate: bytes(own), serverPublic: bytes(server) };
}
