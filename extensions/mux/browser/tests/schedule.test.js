// Random schedules: pages that open, send and close, a server that grants, sends, refuses, closes and
// drops, and a network that brings each side's messages when it likes. SCHEDULES and SEED in the
// environment say how many, and which.

import assert from "node:assert/strict";
import test from "node:test";

import { connect, settled } from "./harness.js";
import { Server } from "./server.js";

const SCHEDULES = Number(process.env.SCHEDULES ?? 200);
const SEED = Number(process.env.SEED ?? 1);
const STEPS = 250;

/** The same numbers for the same seed (mulberry32). */
function randomness(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (end) => Math.floor(next() * end);
  return { below, pick: (list) => list[below(list.length)] };
}

class Schedule {
  constructor(seed, timers) {
    this.timers = timers;
    const random = randomness(seed);
    this.random = random;
    const { mux, socket } = connect({ window: random.pick([200, 1000, 65536]), maxSocketBuffer: random.pick([500, 20_000, 1 << 20]) });
    Object.assign(this, { mux, socket, server: new Server(), pages: [], wire: [], inSocket: [] });
    socket.accept();
    socket.send = (data) => {
      this.inSocket.push(data);
      socket.bufferedAmount += data.length;
    };
  }

  payload(tag) {
    const size = this.random.pick([0, 1, 50, 500, 20_000]);
    return Buffer.from(`${tag} `.padEnd(size, "x"));
  }

  // What a page does.

  open() {
    const path = `/${this.pages.length}`;
    const channel = this.mux.open(path);
    channel.binaryType = "arraybuffer";
    const page = { path, channel, sent: [], received: [], opened: 0, errors: 0, closes: [] };
    channel.onopen = () => (page.opened += 1);
    channel.onmessage = ({ data }) => {
      assert.equal(channel.readyState, 1);
      const opcode = typeof data === "string" ? 1 : 2;
      page.received.push({ opcode, octets: Buffer.from(data) });
    };
    channel.onerror = () => (page.errors += 1);
    channel.onclose = ({ code, wasClean }) => page.closes.push({ code, wasClean });
    this.pages.push(page);
  }

  send(page) {
    if (page.channel.readyState !== 1) return;
    const octets = this.payload(`${page.path} ${page.sent.length}`);
    const opcode = this.random.pick([1, 2, 2]);
    page.channel.send(opcode === 1 ? octets.toString() : this.random.below(2) ? octets : new Blob([octets]));
    page.sent.push({ opcode, octets });
  }

  // What a server does: `said` is all that it ever wanted to say on a channel.

  serverSends(channel) {
    if (channel.state !== "open" || channel.closeSent || channel.closeCame) return;
    const message = { opcode: this.random.pick([1, 2]), octets: this.payload(`from ${channel.path}`) };
    (channel.said ??= []).push(message);
    channel.outgoing.push({ ...message, at: 0 });
  }

  // What the network does.

  flush() {
    const message = this.inSocket.shift();
    if (!message) return;
    this.socket.bufferedAmount -= message.length;
    this.wire.push(message);
  }

  toServer() {
    const message = this.wire.shift();
    if (message) this.server.receive(message);
  }

  toClient() {
    const message = this.server.out.shift();
    if (message) this.socket.deliver(message);
  }

  step() {
    const { random, server } = this;
    const open = this.pages.filter(({ channel }) => channel.readyState === 1);
    const page = random.pick(random.below(4) ? open : this.pages);
    const channel = random.pick([...server.live.values()]);
    switch (random.below(20)) {
      case 0:
        if (this.pages.length < 40) this.open();
        return;
      case 1:
      case 2:
        if (page) this.send(page);
        return;
      case 3:
        if (page && random.below(4) === 0) {
          page.hasClosed = true;
          page.channel.close(1000);
        }
        return;
      case 4:
        if (server.slots.length < 5) server.giveSlot(random.pick([0, 1, 10, 1000]));
        return;
      case 5:
      case 6:
        if (channel?.state === "asked") server.answer(channel, random.below(4) > 0);
        else if (channel) this.serverSends(channel);
        return;
      case 7:
        if (channel) server.grant(channel, random.pick([0, 1, 2, 100, 3000]));
        return;
      case 8:
      case 9:
        if (channel?.state === "open") server.piece(channel, random.pick([1, 100, 100_000]));
        return;
      case 10:
        if (channel?.state === "open") server.ping(channel);
        return;
      case 11:
        if (channel?.state === "open" && !channel.outgoing.length && random.below(4) === 0) server.close(channel);
        return;
      case 12:
        if (channel && random.below(10) === 0) server.drop(channel);
        return;
      case 13:
      case 14:
        return this.flush();
      case 15:
      case 16:
        return this.toServer();
      case 17:
        return this.timers.tick(10);
      default:
        return this.toClient();
    }
  }

  /** Everything on its way arrives; the server accepts and grants all, and closes. */
  async wind() {
    const { server } = this;
    const isQuiet = () => ![this.inSocket, this.wire, server.out].some((queue) => queue.length);
    for (let quiet = 0; quiet < 3; ) {
      if (server.slots.length === 0 && this.mux.waiting) server.giveSlot(1000);
      for (const channel of [...server.live.values()]) {
        if (channel.state === "asked") server.answer(channel, true);
        if (channel.mayReceive < 30_000) server.grant(channel, 40_000);
        server.piece(channel, 100_000);
        // It closes what the page does not, when it has said everything.
        if (channel.outgoing.length === 0) server.close(channel);
      }
      while (!isQuiet()) {
        this.flush();
        this.toServer();
        this.toClient();
      }
      this.timers.tick(10);
      await settled();
      quiet = isQuiet() && !this.mux.channels && !this.mux.waiting ? quiet + 1 : 0;
      assert.ok((this.rounds = (this.rounds ?? 0) + 1) < 1000, "it comes to an end");
    }
  }

  check() {
    assert.equal(this.mux.readyState, 1);
    assert.equal(this.socket.bufferedAmount, 0);
    const isBeginning = (part, whole) => assert.deepEqual(part, whole.slice(0, part.length));
    for (const page of this.pages) {
      assert.equal(page.closes.length, 1, page.path);
      assert.equal(page.channel.readyState, 3);
      const [{ code, wasClean }] = page.closes;
      const channels = this.server.all.filter(({ path }) => path === page.path);
      assert.ok(channels.length <= 1, "each request is made once");
      const channel = channels[0] ?? { state: "never asked", received: [], said: [], pongs: [] };
      isBeginning(channel.received, page.sent);
      isBeginning(page.received, channel.said ?? []);
      // Whoever closes first has said everything, and everything has come.
      if (channel.first === "client") assert.deepEqual(channel.received, page.sent);
      if (channel.first === "server" && wasClean && !page.hasClosed) assert.deepEqual(page.received, channel.said ?? []);
      if (channel.state === "closed") assert.ok(wasClean);
      if (wasClean) assert.ok(channel.closeSent && page.opened === 1);
      assert.equal(page.errors, code === 1006 ? 1 : 0);
      // The server always closes with 4000; its close frame may not have come, or not been answered.
      assert.ok(code === 4000 ? channel.closeSent : code === 1006 && !wasClean, `${code} ${wasClean}`);
      // A pong answers a ping, each at most once, in order.
      for (const [at, pong] of channel.pongs.entries()) assert.ok(at === 0 || pong > channel.pongs[at - 1] || channel.pings > 255);
    }
  }
}

test(`${SCHEDULES} random schedules: quota is kept, nothing is lost, reordered or mixed, every channel ends`, async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const totals = { channels: 0, messages: 0, received: 0, reused: 0, clean: 0 };
  for (let seed = SEED; seed < SEED + SCHEDULES; seed += 1) {
    const schedule = new Schedule(seed, t.mock.timers);
    try {
      for (let step = 0; step < STEPS; step += 1) {
        schedule.step();
        await settled();
      }
      await schedule.wind();
      schedule.check();
    } catch (error) {
      error.message = `SEED=${seed} SCHEDULES=1: ${error.message}`;
      throw error;
    }
    const { all } = schedule.server;
    totals.channels += all.length;
    totals.messages += all.reduce((sum, { received }) => sum + received.length, 0);
    totals.received += schedule.pages.reduce((sum, { received }) => sum + received.length, 0);
    totals.reused += all.length - new Set(all.map(({ id }) => id)).size;
    totals.clean += all.filter(({ state }) => state === "closed").length;
  }
  t.diagnostic(JSON.stringify(totals));
  if (SCHEDULES >= 100) for (const [what, total] of Object.entries(totals)) assert.ok(total > SCHEDULES, what);
});
