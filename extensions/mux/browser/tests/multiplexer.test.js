// The connection: slots, numbers, answers, and every way in which a server can break a rule.

import assert from "node:assert/strict";
import test from "node:test";

import { Multiplexer } from "../mux.js";
import { ACCEPTED, SLOTS, connect, hex, octets, opened, record, settled } from "./harness.js";

const HEAD = "39 'HTTP/1.1 101 Switching Protocols' CRLF 'Connection: Upgrade' CRLF CRLF";
const accepted = (id) => `00 20 ${hex([id])} ${HEAD}`;

/** The numbers of the requests among these messages. */
const requests = (messages) => messages.filter(([zero, block]) => zero === 0 && block === 1).map((message) => message[2]);

test("the address may be of HTTP, and its fragment is not sent", () => {
  for (const [url, expected] of [
    ["http://127.0.0.1:8080/a?b#c", "ws://127.0.0.1:8080/a?b"],
    ["https://example.com", "wss://example.com/"],
    ["ws://example.com/", "ws://example.com/"],
  ]) {
    const { mux, socket } = connect({ protocol: "other.token" }, url);
    assert.equal(socket.url, expected);
    assert.equal(mux.url, expected);
    assert.deepEqual(socket.protocols, ["other.token"]);
  }
  assert.throws(() => connect({}, "no address"), TypeError);
});

test("a channel is on the server of the connection, and its subprotocols are tokens, each once", () => {
  const { mux } = connect();
  assert.equal(mux.open("https://example.com/x").url, "wss://example.com/x");
  for (const path of ["wss://example.org/", "ws://example.com/", "//other/", "ftp://example.com/"]) {
    assert.throws(() => mux.open(path), { name: "SyntaxError" }, path);
  }
  for (const protocols of ["", "a b", ["a", "a"], ["a", ""], "a,b", "a\r\nHost: x"]) {
    assert.throws(() => mux.open("/", protocols), { name: "SyntaxError" }, String(protocols));
  }
  assert.throws(() => mux.open(`/${"x".repeat(9000)}`), { name: "SyntaxError" });
  // What a path could smuggle into the head is encoded.
  assert.equal(mux.open("/a b\u00e4").url, "wss://example.com/a%20b%C3%A4");
});

test("channels wait for slots in order, and each slot has its quota", async () => {
  const { mux, socket } = connect();
  const channels = ["/a", "/b", "/c", "/d"].map((path) => mux.open(path));
  socket.accept();
  assert.equal(mux.waiting, 4);
  socket.deliver("00 80 01 03 80 01 04");
  const sent = socket.sent.splice(0);
  assert.deepEqual(requests(sent), [2, 3]);
  assert.ok(new TextDecoder().decode(sent[0]).includes("GET /a "));
  assert.deepEqual([mux.channels, mux.waiting], [2, 2]);
  socket.deliver(accepted(3));
  socket.deliver(accepted(2));
  channels[0].send("Hello");
  channels[1].send("Hello");
  await settled();
  assert.deepEqual(socket.take(), ["02 01 48 65", "03 01 48 65 6c"]);
  socket.deliver("00 80 00 09");
  assert.deepEqual(socket.take(), []);
  socket.deliver("00 80 02 7e 20 00");
  assert.deepEqual(requests(socket.sent), [4, 5]);
});

test("a refusal is an error with the status of HTTP and a close with 1006; it uses up the slot", async () => {
  const { mux, socket } = connect();
  const [first, second] = [mux.open("/no"), mux.open("/yes")];
  const log = record(first);
  socket.accept();
  socket.deliver("00 80 01 7e 20 00");
  socket.deliver("00 30 02 22 'HTTP/1.1 403 Forbidden' CRLF CRLF 'not here'");
  await settled();
  assert.deepEqual(log, ["error 403: the server refused the channel with status 403", "close 1006"]);
  assert.deepEqual([first.readyState, second.readyState, mux.waiting, mux.channels], [3, 0, 1, 0]);
  // pywebsocket refuses twice.
  socket.deliver("00 30 02 1c 'HTTP/1.1 400 Bad Request' CRLF CRLF");
  assert.equal(mux.readyState, 1);
});

test("no more channels here: those that wait fail, and those that come, until there are slots again", async () => {
  const { mux, socket } = connect();
  const first = mux.open("/a");
  const log = record(first);
  socket.accept();
  socket.deliver("00 81 00 00");
  const second = mux.open("/b");
  const secondLog = record(second);
  await settled();
  const failed = ["error: the server gives this connection no more channels", "close 1006"];
  assert.deepEqual([log, secondLog], [failed, failed]);
  socket.deliver("00 80 01 08");
  mux.open("/c");
  mux.open("/d");
  assert.deepEqual([requests(socket.sent), mux.waiting], [[2], 1]);
});

test("slots that are there can be used after the server has said that there are no more", () => {
  const { mux, socket } = connect();
  socket.accept();
  socket.deliver("00 80 01 08 81 00 00");
  const [first, second] = [mux.open("/a"), mux.open("/b")];
  assert.deepEqual([mux.channels, mux.waiting, first.readyState, second.readyState], [1, 0, 0, 2]);
});

test("a number is used again when the server has certainly forgotten it, the smallest first", async () => {
  const { mux, socket, channel } = await opened();
  const ids = () => requests(socket.sent.splice(0));
  channel.close();
  await settled();
  socket.deliver("02 88");
  await settled();
  // The server may have granted 2 more before our close frame reached it.
  mux.open("/a");
  assert.deepEqual(ids(), [3]);
  socket.deliver("00 40 02 05");
  socket.deliver(accepted(3));
  // It had read our close frame before that request.
  const asked = mux.open("/b");
  assert.deepEqual(ids(), [2]);
  asked.close();
  mux.open("/c");
  assert.deepEqual(ids(), [4]);
  socket.deliver("00 60 02 02 0b c0");
  mux.open("/d");
  assert.deepEqual(ids(), [2]);
  // The server itself has dropped it.
  socket.deliver("00 60 04 00");
  mux.open("/e");
  assert.deepEqual(ids(), [4]);
});

test("an answer to an older request does not free a number", async () => {
  const { mux, socket, channel } = await opened();
  mux.open("/a");
  channel.close();
  await settled();
  socket.deliver("02 88");
  socket.deliver(accepted(3));
  socket.sent.length = 0;
  mux.open("/b");
  assert.deepEqual(requests(socket.sent), [4]);
});

test("the server drops a channel: acknowledged, the page gets code and text, others live on", async () => {
  for (const [block, error] of [
    ["60 02 00", "error: the server dropped the channel"],
    ["60 02 02 07 d7", "error 2007: the server dropped the channel"],
    ["60 02 06 0b bf 'idle'", "error 3007: idle"],
  ]) {
    const { mux, socket, log } = await opened();
    const other = mux.open("/other");
    socket.deliver(accepted(3));
    socket.take();
    socket.deliver(`00 ${block}`);
    await settled();
    assert.deepEqual(socket.take(), ["00 60 02 02 0b c0"]);
    assert.deepEqual(log, [error, "close 1006"]);
    assert.equal(other.readyState, 1);
  }
});

test("a second response for a channel is ignored, whatever it says", async () => {
  const { socket, channel, log } = await opened();
  for (const second of [ACCEPTED, "00 30 02 1c 'HTTP/1.1 400 Bad Request' CRLF CRLF", "00 20 02 00"]) socket.deliver(second);
  await settled();
  assert.deepEqual([log, socket.take(), channel.readyState], [[], [], 1]);
});

test("an acknowledgement is not acknowledged, nor does it end a channel", async () => {
  const { mux, socket } = await opened();
  socket.deliver("00 60 02 02 0b c0");
  assert.deepEqual([socket.take(), mux.channels], [[], 1]);
});

test("frames, quota and drops for channels that are not there are ignored", async () => {
  const { mux, socket } = await opened();
  for (const message of ["07 81 'Hello'", "00 40 07 05 60 07 00", "00 40 01 7e 20 00", "01 81 'x'", "80 80 88"]) {
    socket.deliver(message);
  }
  await settled();
  assert.deepEqual([socket.take(), mux.channels, mux.readyState], [[], 1, 1]);
});

test("a frame before the response drops the channel with 3000", async () => {
  const { mux, socket } = connect();
  const log = record(mux.open("/"));
  socket.accept();
  socket.deliver(SLOTS);
  socket.take();
  socket.deliver("02 81 'x'");
  await settled();
  assert.deepEqual(socket.take(), ["00 60 02 02 0b b8"]);
  assert.deepEqual(log, ["error 3000: a frame before the response", "close 1006"]);
});

test("a response that agrees to what was not asked for drops the channel with 3000", async () => {
  for (const fields of [
    "1f 'Sec-WebSocket-Protocol: x-other'",
    "2b 'Sec-WebSocket-Protocol: x-foo' CRLF 'Sec-WebSocket-Protocol: x-bar'",
    "2c 'Sec-WebSocket-Extensions: permessage-deflate'",
    "19 'Sec-WebSocket-Extensions:'",
  ]) {
    const { mux, socket } = connect();
    const log = record(mux.open("/", ["x-foo", "x-bar"]));
    socket.accept();
    socket.deliver(SLOTS);
    socket.take();
    const head = octets(`'HTTP/1.1 101 X' CRLF ${fields.slice(3)} CRLF CRLF`);
    socket.deliver(`00 20 02 ${hex([head.length])} 'HTTP/1.1 101 X' CRLF ${fields.slice(3)} CRLF CRLF`);
    await settled();
    assert.deepEqual(socket.take(), ["00 60 02 02 0b b8"], fields);
    assert.match(log.join(), /^error 3000: .+ not asked for,close 1006$/);
  }
});

test("what breaks a rule of the connection ends it with the code of the table", async () => {
  for (const [message, code] of [
    ["", 2002],
    ["80", 2002],
    ["80 02 81", 2002],
    ["02", 2003],
    ["00", 2005],
    ["00 a0", 2004],
    ["00 01 04 00", 2005],
    ["00 40 02 80", 2005],
    ["00 40 02 05 61 02 00", 2005],
    ["00 81 01 05", 2005],
    ["00 80 7f 7f ff ff ff ff ff ff ff 05", 2008],
    [`00 ${Array.from({ length: 65 }, (_, quota) => `80 01 ${hex([quota])}`).join(" ")}`, 2008],
    ["00 20 09 00", 2011],
    ["00 20 03 04 'nope'", 2011],
    ["00 30 03 00", 2011],
    ["00 20 03 13 'HTTP/1.1 200 OK' CRLF CRLF", 2011],
    ["00 21 03 00", 2012],
    ["00 22 02 00", 2012],
  ]) {
    const { mux, socket, log } = await opened();
    const [asked, late] = [mux.open("/asked"), record(mux)];
    const askedLog = record(asked);
    socket.take();
    socket.deliver(message);
    const [zero, drop, channel, length, high, low] = socket.sent[0] ?? [];
    assert.deepEqual([zero, drop, channel, high, low], [0, 0x60, 0, code >> 8, code & 0xff], message);
    assert.equal(length, socket.sent[0].length - 4);
    assert.equal(socket.closedWith.code, code + 2000);
    assert.ok(socket.closedWith.reason);
    // Nothing counts any more.
    socket.deliver("02 81 'x'");
    socket.deliver(accepted(3));
    socket.deliver("80");
    await settled();
    assert.equal(socket.sent.length, 1);
    assert.match(log.join(), new RegExp(`^error ${code}: .+,close 1006$`));
    assert.match(askedLog.join(), new RegExp(`^error ${code}: .+,close 1006$`));
    assert.match(late.join(), /^error \d+: [^,]+$/);
    socket.end({ code: 1006, reason: "", wasClean: false });
    await settled();
    assert.equal(late.at(-1), "close 1006");
    const after = record(mux.open("/after"));
    await settled();
    assert.deepEqual(after, ["error: the connection is closed", "close 1006"]);
  }
});

test("a text message is 2001", async () => {
  const { socket, log } = await opened();
  socket.deliverText("hello");
  await settled();
  assert.deepEqual(socket.sent[0].slice(0, 3), octets("00 60 00"));
  assert.equal(socket.closedWith.code, 4001);
  assert.match(log.join(), /^error 2001: not a binary message,close 1006$/);
});

test("the server fails the connection: closed without an answer", async () => {
  for (const [message, code, error] of [
    ["00 60 00 00", 4000, "error 2000: the server failed the connection"],
    ["00 60 00 12 07 d4 'Invalid opcode 5' a0", 4004, "error 2004: Invalid opcode 5"],
    ["00 60 00 02 03 e8", 4000, "error 1000: the server failed the connection"],
    // However long and broken its text.
    ["00 60 00 7e 01 00 07 d0 ff×254", 4000, `error 2000: ${"\ufffd".repeat(123)}`],
  ]) {
    const { mux, socket, log } = await opened();
    const muxLog = record(mux);
    socket.deliver(message);
    await settled();
    assert.deepEqual(socket.take(), [], message);
    assert.equal(socket.closedWith.code, code);
    assert.deepEqual(log, [error, "close 1006"]);
    assert.deepEqual(muxLog, [error]);
  }
});

test("a server without the subprotocol is no server", async () => {
  for (const protocol of ["", "chat"]) {
    const { mux, socket } = connect();
    const log = record(mux.open("/"));
    const muxLog = record(mux);
    socket.accept(protocol);
    await settled();
    assert.equal(socket.closedWith.code, 4000);
    assert.deepEqual(socket.take(), []);
    assert.deepEqual(log, ["error 2000: the server does not speak the subprotocol", "close 1006"]);
    assert.deepEqual(muxLog, ["error 2000: the server does not speak the subprotocol"]);
  }
});

test("the connection ends: so does every channel, and then the multiplexer says so", async () => {
  const { mux, socket, channel } = await opened();
  const order = [];
  const waiting = mux.open("/waiting");
  for (const [name, target] of Object.entries({ mux, channel, waiting })) {
    target.onclose = ({ code }) => order.push(`${name} ${code}`);
  }
  socket.end({ code: 1001, reason: "away", wasClean: true });
  await settled();
  assert.deepEqual(order, ["waiting 1006", "channel 1006", "mux 1001"].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
  assert.equal(order.at(-1), "mux 1001");
  assert.equal(mux.readyState, 3);
});

test("closing the multiplexer closes every channel, and then the connection", async () => {
  const { mux, socket, channel, log } = await opened();
  const asked = record(mux.open("/asked"));
  socket.take();
  for (const code of [1001, 5000]) assert.throws(() => mux.close(code), { name: "InvalidAccessError" });
  channel.send("last");
  mux.close(4001, "bye");
  mux.close(4002, "again");
  assert.equal(mux.readyState, Multiplexer.CLOSING);
  await settled();
  assert.deepEqual(asked, ["error 1000: closed before it was open", "close 1006"]);
  assert.deepEqual(socket.take(), ["00 60 03 02 03 e8", "02 81 6c 61 73 74", "02 88 0f a1 62 79 65"]);
  assert.equal(socket.closedWith, null);
  const late = record(mux.open("/late"));
  socket.deliver("02 88 0f a1");
  await settled();
  assert.deepEqual(log, ["close 4001 clean"]);
  assert.deepEqual(socket.closedWith, { code: 4001, reason: "bye" });
  assert.deepEqual(late, ["error: the connection is closed", "close 1006"]);
  assert.equal(mux.close(), undefined);
});

test("a multiplexer that is closed before it is open, or without channels, closes at once", async () => {
  const { mux, socket } = connect();
  const log = record(mux.open("/"));
  mux.close();
  await settled();
  assert.equal(socket.readyState, 2);
  assert.deepEqual(log, ["error: closed before it was open", "close 1006"]);
  const other = connect();
  other.socket.accept();
  assert.throws(() => other.mux.close(1001), { name: "InvalidAccessError" });
  assert.equal(other.mux.readyState, 1);
  other.mux.close();
  assert.deepEqual(other.socket.closedWith, { code: undefined, reason: "" });
});

test("an error of the socket is one of the multiplexer", async () => {
  const { mux, socket } = connect();
  const log = record(mux);
  mux.onopen = () => log.push("never");
  socket.dispatchEvent(new Event("error"));
  socket.end();
  await settled();
  assert.deepEqual(log, ["error: the connection failed", "close 1006"]);
});

test("opening the multiplexer is an event, and a number of 128 has two octets", async () => {
  const { mux, socket } = connect();
  const log = record(mux);
  socket.accept();
  assert.deepEqual(log, ["open"]);
  socket.deliver("00 80 7e 01 00 05");
  const channels = Array.from({ length: 127 }, () => mux.open("/"));
  assert.deepEqual(socket.sent.at(-1).slice(0, 4), octets("00 01 80 80"));
  const log128 = record(channels[126]);
  socket.deliver(`00 20 80 80 ${HEAD}`);
  socket.deliver("80 80 81 'x'");
  assert.deepEqual(log128, ["open", "text x"]);
  assert.equal(ACCEPTED, accepted(2));
});
