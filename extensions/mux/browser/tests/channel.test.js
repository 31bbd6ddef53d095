// The interface of WebSocket, and what is on the wire for it.

import assert from "node:assert/strict";
import test from "node:test";

import { Channel } from "../mux.js";
import { ACCEPTED, SLOTS, connect, octets, opened, record, settled } from "./harness.js";

const REQUEST = "'GET /echo HTTP/1.1' CRLF 'Sec-WebSocket-Protocol:' CRLF 'Sec-WebSocket-Extensions:' CRLF CRLF";

test("a channel asks, is accepted, talks and closes, octet for octet", async () => {
  const { mux, socket } = connect({ window: 1024 });
  assert.equal(socket.url, "wss://example.com/app");
  assert.deepEqual(socket.protocols, ["cloverleaf.mux"]);
  assert.equal(socket.binaryType, "arraybuffer");
  const channel = mux.open("/echo");
  const log = record(channel);
  socket.accept();
  socket.deliver("00 40 01 7e 20 00");
  assert.deepEqual(socket.sent, []);
  socket.deliver(SLOTS);
  assert.deepEqual(socket.sent.splice(0), [octets(`00 01 02 4a ${REQUEST} 40 02 7e 04 00`)]);
  socket.deliver(ACCEPTED);
  channel.send("Hello");
  await settled();
  assert.deepEqual(socket.take(), ["02 81 48 65 6c 6c 6f"]);
  socket.deliver("02 81 'Hello'");
  channel.close(1000);
  await settled();
  assert.deepEqual(socket.take(), ["02 88 03 e8"]);
  socket.deliver("02 88 03 e8");
  await settled();
  assert.deepEqual(log, ["open", "text Hello", "close 1000 clean"]);
  assert.deepEqual(socket.take(), []);
  assert.equal(mux.channels, 0);
});

test("a channel has the fields and constants of a WebSocket", async () => {
  const { mux, socket } = connect();
  const channel = mux.open("rooms/a?b=c#d", ["x-foo", "x-bar"]);
  assert.equal(channel.url, "wss://example.com/rooms/a?b=c");
  assert.deepEqual([Channel.CONNECTING, Channel.OPEN, Channel.CLOSING, Channel.CLOSED], [0, 1, 2, 3]);
  assert.deepEqual([channel.CONNECTING, channel.OPEN, channel.CLOSING, channel.CLOSED], [0, 1, 2, 3]);
  assert.equal(channel.binaryType, "blob");
  channel.binaryType = "octets";
  assert.equal(channel.binaryType, "blob");
  channel.binaryType = "arraybuffer";
  assert.equal(channel.binaryType, "arraybuffer");
  assert.deepEqual([channel.readyState, channel.protocol, channel.extensions, channel.bufferedAmount], [0, "", "", 0]);
  assert.throws(() => channel.send("too early"), { name: "InvalidStateError" });
  socket.accept();
  socket.deliver(SLOTS);
  const request = new TextDecoder().decode(socket.sent[0]);
  assert.ok(request.includes("GET /rooms/a?b=c HTTP/1.1\r\nSec-WebSocket-Protocol: x-foo, x-bar\r\nSec-WebSocket-Extensions:\r\n\r\n"));
  socket.deliver(`00 20 02 58 'HTTP/1.1 101 Switching Protocols' CRLF 'Connection: Upgrade' CRLF 'Sec-WebSocket-Protocol: x-foo' CRLF CRLF`);
  assert.deepEqual([channel.readyState, channel.protocol], [1, "x-foo"]);
});

test("handlers and listeners are called alike, with the event and the channel", async () => {
  const { socket, channel } = await opened();
  const seen = [];
  channel.onmessage = () => seen.push("replaced");
  channel.addEventListener("message", ({ data }) => seen.push(`listener ${data}`));
  channel.onmessage = function (event) {
    seen.push([this === channel, event.target === channel, event.data, event.origin]);
  };
  assert.equal(typeof channel.onmessage, "function");
  socket.deliver("02 81 'x'");
  assert.deepEqual(seen, [[true, true, "x", "wss://example.com"], "listener x"]);
  channel.onmessage = "no function";
  assert.equal(channel.onmessage, null);
  socket.deliver("02 81 'y'");
  assert.deepEqual(seen.at(-1), "listener y");
  assert.equal(channel.onclose, null);
});

test("text, buffers, views and Blobs go out in the order in which they were sent, as they were then", async () => {
  const { socket, channel } = await opened();
  const buffer = octets("01 02 03 04").buffer;
  channel.send(buffer);
  channel.send(new Uint8Array(buffer, 1, 2));
  channel.send(new DataView(buffer, 3));
  channel.send(new Blob(["blo", "b"]));
  channel.send("\ud800");
  channel.send(7);
  channel.send("");
  new Uint8Array(buffer).fill(9);
  assert.equal(channel.bufferedAmount, 4 + 2 + 1 + 4 + 3 + 1);
  await settled();
  assert.deepEqual(socket.take(), ["02 82 01 02 03 04", "02 82 02 03", "02 82 04", "02 82 62 6c 6f 62", "02 81 ef bf bd", "02 81 37", "02 81"]);
  assert.equal(channel.bufferedAmount, 0);
});

test("a Blob is read once, when its turn comes", async () => {
  const { socket, channel } = await opened();
  let reads = 0;
  const blob = new Blob(["x"]);
  blob.arrayBuffer = () => {
    reads += 1;
    return new Promise((done) => (blob.done = done));
  };
  channel.send(blob);
  channel.send("behind");
  await settled();
  socket.deliver("00 40 02 05");
  await settled();
  assert.deepEqual([reads, socket.take()], [1, []]);
  blob.done(octets("78").buffer);
  await settled();
  assert.deepEqual(socket.take(), ["02 82 78", "02 81 62 65 68 69 6e 64"]);
});

test("a Blob that cannot be read drops the channel", async () => {
  const { socket, channel, log } = await opened();
  const blob = new Blob(["x"]);
  blob.arrayBuffer = () => Promise.reject(new Error("the file is gone"));
  channel.send(blob);
  await settled();
  assert.deepEqual(socket.take(), ["00 60 02 02 0b b8"]);
  assert.deepEqual(log, ["error 3000: a Blob that cannot be read", "close 1006"]);
});

test("binary messages come as the binary type says at that time", async () => {
  const { socket, channel } = await opened();
  const seen = [];
  channel.onmessage = ({ data }) => seen.push(data);
  socket.deliver("02 82 01 02");
  socket.deliver("02 82");
  channel.binaryType = "blob";
  socket.deliver("02 82 'abc'");
  assert.ok(seen[0] instanceof ArrayBuffer);
  assert.deepEqual(new Uint8Array(seen[0]), octets("01 02"));
  assert.equal(seen[1].byteLength, 0);
  assert.ok(seen[2] instanceof Blob);
  assert.equal(await seen[2].text(), "abc");
});

test("messages in pieces, with pings in pieces in the middle of them", async () => {
  const { socket, log } = await opened();
  for (const piece of ["02 01 48 65 6c 6c 6f 20", "02 09 50 69", "02 80 6e 67 21", "02 80 57 6f 72 6c 64 21"]) {
    socket.deliver(piece);
  }
  // The octets of one character in two pieces.
  for (const piece of ["02 01 c3", "02 00", "02 80 a4", "02 02 01", "02 00 02", "02 00 03", "02 80", "02 81 ef bb bf"]) {
    socket.deliver(piece);
  }
  await settled();
  assert.deepEqual(log, ["text Hello World!", "text ä", "octets 01 02 03", "text \ufeff"]);
  assert.deepEqual(socket.take(), ["02 8a 50 69 6e 67 21"]);
});

test("of several pings the last is answered, and pongs are not", async () => {
  const { socket } = await opened();
  for (const piece of ["02 89 01", "02 89 02", "02 8a", "02 8a 03"]) socket.deliver(piece);
  await settled();
  assert.deepEqual(socket.take(), ["02 8a 02"]);
});

test("a ping of 125 octets passes and of 126 drops the channel, whole or in pieces", async () => {
  for (const [pieces, answer] of [
    [["02 89 61×125"], `02 8a${" 61".repeat(125)}`],
    [["02 09 61×100", "02 80 61×25"], `02 8a${" 61".repeat(125)}`],
    [["02 89 61×126"], "00 60 02 02 0b b8"],
    [["02 09 61×100", "02 80 61×26"], "00 60 02 02 0b b8"],
  ]) {
    const { socket } = await opened();
    for (const piece of pieces) socket.deliver(piece);
    await settled();
    assert.deepEqual(socket.take(), [answer], pieces.join());
  }
});

test("fragments that do not fit drop the channel with 3009", async () => {
  for (const pieces of [
    ["02 80 'Hello'"],
    ["02 00 'Hello'"],
    ["02 01 'Hel'", "02 81 'lo'"],
    ["02 01 'Hel'", "02 83 'lo'"],
    ["02 09 'Pi'", "02 81 'data'"],
    ["02 09 'Pi'", "02 89 'Pi'"],
    ["02 09 'Pi'", "02 80 'ng'", "02 80"],
  ]) {
    const { mux, socket, channel, log } = await opened();
    for (const piece of pieces) socket.deliver(piece);
    assert.equal(channel.readyState, 2);
    await settled();
    assert.ok(socket.take().includes("00 60 02 02 0b c1"), pieces.join());
    assert.match(log.join(), /^error 3009: [a-z ]+,close 1006$/);
    assert.deepEqual([channel.readyState, mux.channels, mux.readyState], [3, 0, 1]);
  }
});

test("what breaks RFC 6455 closes the channel with its code, and the page gets 1006", async () => {
  for (const [pieces, code] of [
    [["02 c1 'Hello'"], "03 ea"],
    [["02 a2 'Hello'"], "03 ea"],
    [["02 91 'Hello'"], "03 ea"],
    [["02 01 'a'", "02 c0 'b'"], "03 ea"],
    [["02 c9"], "03 ea"],
    [["02 83 'Hello'"], "03 ea"],
    [["02 8b"], "03 ea"],
    [["02 81 ff fe"], "03 ef"],
    [["02 01 c3", "02 80 28"], "03 ef"],
    [["02 81 ed a0 80"], "03 ef"],
    [["02 82 61×1025"], "03 f1"],
    [["02 02 61×1024", "02 00 61"], "03 f1"],
  ]) {
    const { mux, socket, log } = await opened({ maxMessageSize: 1024 });
    for (const piece of pieces) socket.deliver(piece);
    await settled();
    assert.deepEqual(socket.take(), [`02 88 ${code}`], pieces.join());
    assert.match(log.join(), /^error: .+,close 1006$/);
    // The closing handshake passes all the same, whatever comes in front of it.
    socket.deliver("02 00 'x'");
    socket.deliver("02 89 'x'");
    socket.deliver("02 c3 'x'");
    assert.equal(mux.channels, 1);
    socket.deliver("02 08 03");
    socket.deliver(`02 80 ${code.slice(3)}`);
    await settled();
    assert.deepEqual([socket.take(), log.length, mux.channels], [[], 2, 0]);
  }
});

test("the page does not send on a channel that has failed a moment ago", async () => {
  const { socket, channel } = await opened();
  socket.deliver("02 81 ff");
  channel.send("late");
  assert.equal(channel.bufferedAmount, 4);
  await settled();
  assert.deepEqual(socket.take(), ["02 88 03 ef"]);
});

test("what waited on a channel that has failed is not sent any more", async () => {
  const { socket, channel } = await opened({}, "00 80 01 00");
  channel.send("stuck");
  socket.deliver("02 81 ff");
  socket.deliver("00 40 02 08");
  await settled();
  assert.deepEqual([socket.take(), channel.bufferedAmount], [["02 88 03 ef"], 5]);
});

test("the server closes: the answer has its code, and the page gets it with the reason", async () => {
  for (const [frame, answer, event] of [
    ["02 88", "02 88", "close 1005 clean"],
    ["02 88 03 e8", "02 88 03 e8", "close 1000 clean"],
    ["02 88 0f a0 'over'", "02 88 0f a0", "close 4000 over clean"],
    ["02 88 03 f6", "02 88 03 f6", "close 1014 clean"],
  ]) {
    const { mux, socket, channel, log } = await opened();
    socket.deliver("02 81 'last'");
    socket.deliver(frame);
    assert.equal(channel.readyState, 2);
    channel.send("late");
    socket.deliver("02 81 'behind the close'");
    await settled();
    assert.deepEqual(socket.take(), [answer]);
    channel.close();
    assert.deepEqual(log, ["text last", event]);
    assert.deepEqual([channel.readyState, channel.bufferedAmount, mux.channels], [3, 4, 0]);
  }
});

test("nothing counts behind the server's close frame, not even another", async () => {
  const { socket, log } = await opened({}, "00 80 01 00");
  for (const frame of ["02 88 0f a0", "02 80 'x'", "02 89 'p'", "02 88 0f a1", "00 40 02 08"]) socket.deliver(frame);
  await settled();
  assert.deepEqual(socket.take(), ["02 88 0f a0"]);
  assert.deepEqual(log, ["close 4000 clean"]);
});

test("a close frame that breaks RFC 6455 is answered with 1002 or 1007, and is the end", async () => {
  for (const [frame, answer] of [
    ["02 88 03", "03 ea"],
    ["02 88 0c", "03 ea"],
    ["02 88 03 ed", "03 ea"],
    ["02 88 03 ee", "03 ea"],
    ["02 88 03 e7", "03 ea"],
    ["02 88 07 d0", "03 ea"],
    ["02 88 13 88", "03 ea"],
    ["02 88 03 e8 ff", "03 ef"],
  ]) {
    const { mux, socket, log } = await opened();
    socket.deliver(frame);
    await settled();
    assert.deepEqual(socket.take(), [`02 88 ${answer}`], frame);
    assert.match(log.join(), /^error: .+,close 1006$/);
    assert.equal(mux.channels, 0);
  }
});

test("close takes what a WebSocket takes, and what was sent before goes first", async () => {
  const { socket, channel } = await opened();
  for (const code of [999, 1001, 1006, 2999, 5000, null, "x"]) {
    assert.throws(() => channel.close(code), { name: "InvalidAccessError" }, String(code));
  }
  assert.throws(() => channel.close(1000, "ä".repeat(62)), { name: "SyntaxError" });
  assert.equal(channel.readyState, 1);
  channel.send("last");
  channel.close(4999, `${"ä".repeat(61)}x`);
  channel.close(1000);
  assert.equal(channel.readyState, 2);
  channel.send("late");
  await settled();
  assert.deepEqual(socket.take(), ["02 81 6c 61 73 74", `02 88 13 87${" c3 a4".repeat(61)} 78`]);
});

test("close without a code sends none, with a reason only it is 1000", async () => {
  for (const [parameters, expected] of [
    [[], "02 88"],
    [[undefined, ""], "02 88"],
    [[undefined, "x"], "02 88 03 e8 78"],
    [["3000"], "02 88 0b b8"],
  ]) {
    const { socket, channel } = await opened();
    channel.close(...parameters);
    await settled();
    assert.deepEqual(socket.take(), [expected]);
  }
});

test("after close the page gets no more messages, but pings are answered until the close frame is out", async () => {
  const { socket, channel, log } = await opened({}, "00 80 01 05");
  channel.send("12345");
  channel.close();
  await settled();
  assert.deepEqual(socket.take(), ["02 01 31 32 33 34"]);
  socket.deliver("02 81 'x'");
  socket.deliver("02 89 'p'");
  socket.deliver("00 40 02 02");
  await settled();
  assert.deepEqual(socket.take(), ["02 8a 70"]);
  socket.deliver("00 40 02 02");
  await settled();
  assert.deepEqual(socket.take(), ["02 80 35", "02 88"]);
  socket.deliver("02 89 'p'");
  await settled();
  assert.deepEqual([socket.take(), log], [[], []]);
});

test("a channel that is closed before it is open fails, and its request is taken back", async () => {
  const { mux, socket } = connect();
  const [first, second] = [mux.open("/a"), mux.open("/b")];
  const logs = [first, second].map(record);
  first.close();
  assert.equal(first.readyState, 2);
  await settled();
  assert.deepEqual(logs[0], ["error: closed before it was open", "close 1006"]);
  socket.accept();
  socket.deliver(SLOTS);
  assert.equal(socket.take().length, 1);
  second.close(1000);
  assert.deepEqual(socket.take(), ["00 60 02 02 03 e8"]);
  socket.deliver(ACCEPTED);
  socket.deliver("02 81 'x'");
  socket.deliver("00 60 02 02 0b c0");
  await settled();
  assert.deepEqual(logs[1], ["error 1000: closed before it was open", "close 1006"]);
  assert.deepEqual([mux.channels, mux.waiting, socket.take()], [0, 0, []]);
});

test("a server that does not answer the close frame gets a drop, in time and not before", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { mux, socket, channel, log } = await opened({ closeTimeout: 500 });
  channel.close(1000);
  await settled();
  t.mock.timers.tick(499);
  assert.deepEqual(socket.take(), ["02 88 03 e8"]);
  t.mock.timers.tick(1);
  await settled();
  assert.deepEqual(socket.take(), ["00 60 02 02 03 e8"]);
  assert.deepEqual(log, ["error 1000: the server did not close the channel in time", "close 1006"]);
  assert.equal(mux.channels, 0);
});

test("a channel that has failed gets a drop in time too, and one that is closed gets none later", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { socket, log } = await opened({ closeTimeout: 500 }, "00 80 01 00");
  socket.deliver("02 81 ff");
  await settled();
  t.mock.timers.tick(500);
  assert.deepEqual([socket.take(), log.length], [["00 60 02 02 03 e8"], 2]);
  const other = await opened({ closeTimeout: 500 });
  other.channel.close();
  await settled();
  other.socket.deliver("02 88");
  t.mock.timers.tick(500);
  assert.deepEqual(other.socket.take(), ["02 88"]);
});

test("a server that grants no quota for the answer to its close frame gets a drop", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { socket, log } = await opened({ closeTimeout: 500 }, "00 80 01 00");
  socket.deliver("02 88 0f a0 'bye'");
  await settled();
  assert.deepEqual(socket.take(), []);
  t.mock.timers.tick(500);
  await settled();
  assert.deepEqual(socket.take(), ["00 60 02 02 03 e8"]);
  assert.deepEqual(log, ["close 4000 bye"]);
});
