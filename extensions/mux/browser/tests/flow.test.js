// Quota in both directions, turns, and what the socket can take.

import assert from "node:assert/strict";
import test from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { connect, hex, octets, opened, record, settled } from "./harness.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

const HEAD = "39 'HTTP/1.1 101 Switching Protocols' CRLF 'Connection: Upgrade' CRLF CRLF";

test("a message is cut to the quota, and the rest goes when there is more", async () => {
  const { socket, channel } = await opened({}, "00 80 01 03");
  channel.send("Hello");
  await settled();
  assert.deepEqual(socket.take(), ["02 01 48 65"]);
  assert.equal(channel.bufferedAmount, 3);
  socket.deliver("00 40 02 03");
  await settled();
  assert.deepEqual(socket.take(), ["02 80 6c 6c 6f"]);
  assert.equal(channel.bufferedAmount, 0);
});

test("a beginning costs one octet more, whatever begins", async () => {
  for (const [grant, expected] of [
    ["00", []],
    ["01", []],
    ["02", ["02 01 61"]],
    ["03", ["02 81 61 62"]],
    ["04", ["02 81 61 62", "02 81"]],
    ["05", ["02 81 61 62", "02 81", "02 88"]],
  ]) {
    const { socket, channel } = await opened({}, "00 80 01 00");
    channel.send("ab");
    channel.send("");
    channel.close();
    socket.deliver(`00 40 02 ${grant}`);
    await settled();
    assert.deepEqual(socket.take(), expected, grant);
  }
});

test("control frames are cut to the quota too, and stand between the pieces of a message", async () => {
  const { socket, channel } = await opened({}, "00 80 01 03");
  channel.send("Hello");
  await settled();
  socket.deliver("02 89 'Ping!'");
  for (const grant of ["03", "02", "02", "06"]) {
    socket.deliver(`00 40 02 ${grant}`);
    if (grant === "02") socket.deliver("02 89 'x'");
    await settled();
  }
  assert.deepEqual(socket.take(), ["02 01 48 65", "02 0a 50 69", "02 00 6e 67", "02 80 21", "02 8a 78", "02 80 6c 6c 6f"]);
});

test("quota may come before the response, and nothing is sent before it", async () => {
  const { mux, socket } = connect();
  const channel = mux.open("/");
  socket.accept();
  socket.deliver("00 80 01 00");
  socket.deliver("00 40 02 06");
  socket.take();
  socket.deliver(`00 20 02 ${HEAD}`);
  channel.send("Hello");
  await settled();
  assert.deepEqual(socket.take(), ["02 81 48 65 6c 6c 6f"]);
});

test("a quota goes to 2^63 - 1, and not one further", async () => {
  const { mux, socket, log } = await opened({}, "00 80 01 01");
  socket.deliver("00 40 02 7f 7f ff ff ff ff ff ff fe");
  socket.deliver("00 40 02 00");
  assert.deepEqual(socket.take(), []);
  socket.deliver("00 40 02 01");
  await settled();
  assert.deepEqual(socket.take(), ["00 60 02 02 0b be"]);
  assert.deepEqual(log, ["error 3006: a quota of 2^63 or more", "close 1006"]);
  assert.equal(mux.readyState, 1);
});

test("what came is granted again after half of the window, and not before", async () => {
  const { socket } = await opened({ window: 20 });
  socket.deliver("02 01 61×8");
  assert.deepEqual(socket.take(), []);
  socket.deliver("02 80 61");
  assert.deepEqual(socket.take(), ["00 40 02 0a"]);
  // In the middle of a message too, or one larger than the window could not come.
  socket.deliver("02 01 61×12");
  assert.deepEqual(socket.take(), ["00 40 02 0d"]);
});

test("exactly the quota passes, and one octet more drops the channel with 3005", async () => {
  for (const [pieces, passes] of [
    [["02 81 61×19"], true],
    [["02 81 61×20"], false],
    [["02 01 61×8", "02 00 61×11"], true],
    [["02 01 61×8", "02 00 61×12"], false],
    [["02 81 61×4", "02 89 61×3", "02 81 61×10"], true],
    [["02 81 61×4", "02 89 61×3", "02 81 61×11"], false],
  ]) {
    const { socket, log } = await opened({ window: 20 });
    for (const piece of pieces) socket.deliver(piece);
    await settled();
    const dropped = socket.take().includes("00 60 02 02 0b bd");
    assert.equal(dropped, !passes, pieces.join());
    assert.equal(log.at(-1) === "close 1006", !passes);
  }
});

test("a channel that has failed goes on granting, so that the answer to its close frame can come", async () => {
  const { mux, socket } = await opened({ window: 20 });
  socket.deliver("02 81 ff");
  for (let round = 0; round < 5; round += 1) socket.deliver("02 02 61×9");
  await settled();
  assert.deepEqual(socket.take(), ["00 40 02 0c", ...Array(4).fill("00 40 02 0a"), "02 88 03 ef"]);
  socket.deliver("02 88 03 ef");
  assert.equal(mux.channels, 0);
});

/** Channels 2 to n + 1, each open and with much quota. */
function many(n, options) {
  const { mux, socket } = connect(options);
  socket.accept();
  socket.deliver(octets(`00 80 ${hex([n])} 7f 00 00 00 00 10 00 00 00`));
  const channels = Array.from({ length: n }, () => mux.open("/"));
  channels.forEach((_, at) => socket.deliver(`00 20 ${hex([at + 2])} ${HEAD}`));
  socket.take();
  return { mux, socket, channels };
}

test("channels take turns, each with a message of at most 8 KiB", async () => {
  const { socket, channels } = many(3);
  const sizes = [40_000, 20_000, 5];
  channels.forEach((channel, at) => channel.send(new Uint8Array(sizes[at])));
  await settled();
  const turns = socket.sent.map((message) => [message[0], message.length]);
  assert.deepEqual(turns, [
    [2, 8189], [3, 8189], [4, 7],
    [2, 8189], [3, 8189],
    [2, 8189], [3, 3628],
    [2, 8189],
    [2, 7254],
  ]);
  const longest = Math.max(...socket.sent.map((message) => message.length));
  assert.ok(longest <= 8192);
});

test("a channel without quota does not hold up another, and a ping passes a long message", async () => {
  const { mux, socket, channel } = await opened({}, "00 80 01 01 80 01 7e 40 00");
  const other = mux.open("/");
  socket.deliver(`00 20 03 ${HEAD}`);
  socket.take();
  channel.send("stalled");
  other.send(new Uint8Array(9000));
  socket.deliver("03 89 'p'");
  await settled();
  assert.deepEqual(socket.sent.map((message) => hex(message.slice(0, 2))), ["03 8a", "03 02", "03 80"]);
});

test("no more goes into a socket that is full, one timer waits for room, and none when nothing waits", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let timers = 0;
  const mocked = globalThis.setTimeout;
  globalThis.setTimeout = (...parameters) => {
    timers += 1;
    return mocked(...parameters);
  };
  t.after(() => (globalThis.setTimeout = mocked));
  const { socket, channels } = many(2, { maxSocketBuffer: 10_000 });
  socket.send = (data) => {
    socket.sent.push(data);
    socket.bufferedAmount += data.length;
  };
  for (const channel of channels) channel.send(new Uint8Array(20_000));
  await settled();
  assert.deepEqual(socket.sent.map((message) => message.length), [8189, 8189]);
  // What wakes the pump meanwhile makes no second timer.
  socket.deliver("00 40 02 05");
  socket.deliver("00 40 03 05");
  channels[0].send("x");
  await settled();
  assert.equal(timers, 1);
  t.mock.timers.tick(10);
  assert.equal(timers, 2);
  assert.equal(socket.sent.length, 2);
  for (let round = 0; round < 4; round += 1) {
    socket.bufferedAmount = 0;
    t.mock.timers.tick(10);
  }
  await settled();
  const [one, two] = [2, 3].map((id) => socket.sent.filter((message) => message[0] === id));
  const sum = (messages) => messages.reduce((total, { length }) => total + length - 2, 0);
  assert.deepEqual([sum(one), sum(two)], [20_001, 20_000]);
  const before = timers;
  t.mock.timers.tick(1000);
  assert.equal(timers, before);
});

test("bufferedAmount counts what the socket has not sent, each channel its own", async () => {
  const { socket, channels } = many(2);
  socket.send = (data) => {
    socket.sent.push(data);
    socket.bufferedAmount += data.length;
  };
  channels[0].send(new Uint8Array(100));
  channels[1].send("ä");
  channels[0].send(new Blob(["abc"]));
  const amounts = () => channels.map((channel) => channel.bufferedAmount);
  assert.deepEqual(amounts(), [103, 2]);
  await settled();
  assert.deepEqual(amounts(), [103, 2]);
  socket.bufferedAmount -= 101;
  assert.deepEqual(amounts(), [103, 2]);
  socket.bufferedAmount -= 1;
  assert.deepEqual(amounts(), [3, 2]);
  socket.bufferedAmount -= 4;
  assert.deepEqual(amounts(), [3, 0]);
  socket.bufferedAmount = 0;
  assert.deepEqual(amounts(), [0, 0]);
});

test("what was not sent when a channel ended stays counted, as a WebSocket has it", async () => {
  const { socket, channel } = await opened({}, "00 80 01 03");
  channel.send("Hello");
  await settled();
  socket.deliver("00 60 02 00");
  await settled();
  channel.send("more");
  channel.send(new Blob(["abc"]));
  assert.equal(channel.bufferedAmount, 3 + 4 + 3);
});

test("nothing is sent on a channel that was dropped a moment ago", async () => {
  const { socket, channel } = await opened();
  channel.send("too late");
  socket.deliver("00 60 02 00");
  await settled();
  assert.deepEqual(socket.take(), ["00 60 02 02 0b c0"]);
});

test("the peer's close frame ends what waits, in the middle of a message if need be", async () => {
  const { socket, channel, log } = await opened({}, "00 80 01 03");
  channel.send("Hello");
  channel.send("World");
  await settled();
  socket.deliver("02 88 03 e8");
  socket.deliver("00 40 02 05");
  await settled();
  assert.deepEqual(socket.take(), ["02 01 48 65", "02 88 03 e8"]);
  assert.deepEqual(log, ["close 1000 clean"]);
});

test("a message in a great many small pieces costs about its size in memory", async () => {
  const { socket, log } = await opened({ window: 1 << 20 });
  socket.deliver("02 02");
  const piece = octets("02 00 61");
  const held = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  for (let at = 0; at < 300_000; at += 1) socket.deliver(piece);
  // What was answered is of the fake socket.
  socket.take();
  const more = held() - before;
  assert.ok(more < 4 << 20, `${more} octets`);
  socket.deliver("02 80");
  assert.equal(log[0].length, "octets".length + 3 * 300_000);
});

test("empty pieces are not kept, however many", async () => {
  const { socket, log } = await opened();
  socket.deliver("02 01 'a'");
  for (let at = 0; at < 10_000; at += 1) socket.deliver("02 00");
  socket.deliver("02 80 'b'");
  await settled();
  assert.deepEqual([log, socket.take()], [["text ab"], []]);
});

test("a page that opens, sends and closes within its open event does so in order", async () => {
  const { mux, socket } = connect();
  const channel = mux.open("/");
  const log = record(channel);
  channel.onopen = () => {
    channel.send("a");
    channel.close(3000);
  };
  socket.accept();
  socket.deliver("00 80 01 08");
  socket.take();
  socket.deliver(`00 20 02 ${HEAD}`);
  await settled();
  assert.deepEqual(socket.take(), ["02 81 61", "02 88 0b b8"]);
  socket.deliver("02 88 0b b8");
  await settled();
  assert.deepEqual(log, ["open", "close 3000 clean"]);
});
