// Holds the companion page's half of the protocol (anubisd/companion/page/message.mjs) to the vectors that hold lib/wire
// and lib/crypto. Usage: page.mjs FOLDER, where the build has put libsodium.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const { default: sodium } = await import(resolve(process.argv[2], "libsodium-wrappers.mjs"));
const page = await import("../../anubisd/companion/page/message.mjs");
await sodium.ready;

const vectors = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url)));
const hex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const base64 = (text) => Uint8Array.from(Buffer.from(text, "base64"));
const counts = {};
function check(what, name, test) {
  counts[what] = (counts[what] ?? 0) + 1;
  try {
    test();
  } catch (error) {
    console.error(`${what}, "${name}":`, error);
    process.exitCode = 1;
  }
}

const SUITES = { 1: "XChaCha20-Poly1305-IETF", 2: "BLAKE2b-AES-256-GCM" };
for (const each of vectors("message_keys").keys) {
  check("message keys (3.2)", each.name, () => {
    const psk = each.preshared_key ? base64(each.preshared_key) : null;
    const keys = page.messageKeys(sodium, base64(each.a_private_key), base64(each.a_public_key), base64(each.b_public_key),
      SUITES[each.suite], psk);
    assert.equal(Buffer.from(keys.sending).toString("hex"), each.a_to_b);
    assert.equal(Buffer.from(keys.receiving).toString("hex"), each.b_to_a);
    assert.deepEqual(sodium.crypto_scalarmult_base(base64(each.a_private_key)), base64(each.a_public_key));
  });
}
for (const each of vectors("message_keys").unusable) {
  if (each.name.startsWith("not canonical")) continue; // refused in the configuration; the exchange itself takes them
  check("keys of small order (3.2)", each.name, () =>
    assert.throws(() => page.messageKeys(sodium, new Uint8Array(32).fill(1), new Uint8Array(32).fill(9), base64(each.public_key))));
}

const { messages } = vectors("messages");
for (const each of messages) {
  const id = hex(each.header.request_id);
  const sender = base64(each.header.sender);
  if (each.header.type === 1) {
    check("sealed requests (4)", each.name, () => {
      const { message } = page.sealRequest(sodium, hex(each.key), sender, hex(each.payload), each.size, id, hex(each.header.nonce));
      assert.equal(Buffer.from(message).toString("hex"), each.datagram);
      // A request is no reply, whatever is asked for.
      assert.equal(page.openReply(sodium, hex(each.key), sender, id, message), null);
    });
    continue;
  }
  check("opened replies (4)", each.name, () => {
    const datagram = hex(each.datagram);
    const opened = page.openReply(sodium, hex(each.key), sender, id, datagram);
    assert.equal(Buffer.from(opened).toString("hex"), each.payload);
    const other = Uint8Array.from(id, (byte) => byte ^ 1);
    assert.equal(page.openReply(sodium, hex(each.key), sender, other, datagram), null, "a reply to another request");
    assert.equal(page.openReply(sodium, hex(each.key), other, id, datagram), null, "a reply of another sender");
    for (let i = 0; i < datagram.length; i += 7) {
      const changed = Uint8Array.from(datagram);
      changed[i] ^= 1 << i % 8;
      assert.equal(page.openReply(sodium, hex(each.key), sender, id, changed), null, `changed at ${i}`);
    }
  });
}
for (const each of vectors("dropped").dropped) {
  const datagram = hex(each.datagram);
  check("dropped (4.3)", each.name, () =>
    assert.equal(page.openReply(sodium, hex(each.key), datagram.subarray(24, 56), datagram.subarray(8, 24), datagram), null));
}
for (const each of vectors("payloads").replies) {
  check("replies (5.4)", each.name, () => {
    const read = page.readReply(hex(each.payload));
    if (each.fault || !each.reply) return assert.equal(read, null);
    assert.equal(Buffer.from(read.token).toString("hex"), each.reply.token);
    // Several bytes that are no UTF-8 may be one "?" here: nothing is shown on a terminal.
    const printed = (text) => text.replace(/\?+/g, "?");
    const got = [read.lease, read.state, read.upFor, read.listenPort, read.presence, read.host, read.peer];
    const { lease_seconds, state, up_seconds, listen_port, peer_presence, responder_name, peer_name } = each.reply;
    assert.deepEqual(got, [lease_seconds, state, up_seconds, listen_port, peer_presence, responder_name, peer_name]);
    if (read.result <= 10) assert.equal(printed(read.text), printed(each.reply.text));
  });
}
check("requests (5.3)", "as the gatekeeper reads them", () => {
  const { requests } = vectors("payloads");
  const known = requests.find((each) => each.name === "of a companion");
  const mine = page.createRequest(page.UP, hex(known.request.token));
  assert.equal(Buffer.from(mine).toString("hex"), known.payload);
});
check("links", "both keys", () => {
  const part = (byte) => Buffer.alloc(32, byte).toString("base64url");
  const key = page.parseKey(`#1.${part(0xfb)}.${part(2)}`);
  assert.deepEqual([key.ownPrivate, key.serverPublic], [new Uint8Array(32).fill(0xfb), new Uint8Array(32).fill(2)]);
  for (const bad of ["", "#", `#2.${part(1)}.${part(2)}`, `#1.${part(1)}`, `#1.${part(1)}.${part(2)}A`, `#1.${part(1)}=.${part(2)}`])
    assert.equal(page.parseKey(bad), null, bad);
});

console.log(Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(", "));
assert.ok(Object.keys(counts).length === 8 && messages.length > 20, "all kinds of vectors were there");
