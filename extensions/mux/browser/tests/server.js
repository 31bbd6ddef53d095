// A server as simple as can be, that believes nothing: for the random schedules. It decodes by
// itself, and counts every octet.

import assert from "node:assert/strict";

const number = (octets) => {
  const first = octets.shift();
  const length = first < 126 ? 0 : first === 126 ? 2 : 8;
  return length ? octets.splice(0, length).reduce((sum, octet) => sum * 256 + octet, 0) : first;
};

const asNumber = (value) => (value < 126 ? [value] : [126, value >> 8, value & 255]);

/** The channels of one connection. Numbers stay below 128: one octet. */
export class Server {
  /** What goes to the client, oldest first. */
  out = [];
  slots = [];
  live = new Map();
  /** What became of every channel that there was: one record each, in the order of the requests. */
  all = [];

  say(...octets) {
    this.out.push(Uint8Array.from(octets.flat()));
  }

  giveSlot(quota) {
    this.slots.push(quota);
    this.say(0, 0x80, 1, asNumber(quota));
  }

  grant(channel, quota) {
    channel.mayReceive += quota;
    this.say(0, 0x40, channel.id, asNumber(quota));
  }

  answer(channel, accepted) {
    const head = Buffer.from(accepted ? "HTTP/1.1 101 Switching Protocols\r\n\r\n" : "HTTP/1.1 404 Not Found\r\n\r\n");
    channel.state = accepted ? "open" : "refused";
    this.say(0, accepted ? 0x20 : 0x30, channel.id, asNumber(head.length), [...head]);
    if (!accepted) this.live.delete(channel.id);
  }

  /** So much of what there is to send, as its quota lets it. */
  piece(channel, most) {
    const message = channel.outgoing[0];
    if (!message || channel.closeSent) return;
    const begins = message.at === 0 && !message.begun;
    const room = Math.min(most, channel.maySend - (begins ? 1 : 0), message.octets.length - message.at);
    if (room < 0 || (room === 0 && message.at < message.octets.length)) return;
    const octets = message.octets.slice(message.at, message.at + room);
    message.at += room;
    message.begun = true;
    const isLast = message.at === message.octets.length;
    channel.maySend -= room + (begins ? 1 : 0);
    this.say(channel.id, (isLast ? 0x80 : 0) | (begins ? message.opcode : 0), [...octets]);
    if (isLast) channel.outgoing.shift();
  }

  ping(channel) {
    if (channel.closeSent || channel.maySend < 2) return;
    channel.maySend -= 2;
    channel.pings += 1;
    this.say(channel.id, 0x89, channel.pings & 255);
  }

  close(channel) {
    if (channel.closeSent || channel.maySend < 3) return;
    channel.maySend -= 3;
    channel.first ??= "server";
    channel.closeSent = true;
    this.say(channel.id, 0x88, 0x0f, 0xa0);
    this.#endIfClosed(channel);
  }

  drop(channel) {
    this.say(0, 0x60, channel.id, 2, 3, 0xe8);
    this.live.delete(channel.id);
    channel.state = "dropped";
  }

  #endIfClosed(channel) {
    if (!channel.closeSent || !channel.closeCame) return;
    this.live.delete(channel.id);
    channel.state = "closed";
  }

  /** A message of the client. */
  receive(message) {
    const octets = [...message];
    assert.ok(octets.length <= 8192);
    const id = octets.shift();
    if (id) return this.#frame(this.live.get(id), octets);
    while (octets.length) this.#block(octets);
  }

  #block(octets) {
    const kind = octets.shift();
    const id = octets.shift();
    const channel = this.live.get(id);
    if (kind === 0x01) {
      const head = Buffer.from(octets.splice(0, number(octets))).toString();
      assert.ok(!channel, `${id} is in use`);
      assert.ok(this.slots.length, "there was a slot");
      const path = /^GET (\S+) HTTP\/1\.1\r\n/.exec(head)[1];
      const added = { id, path, state: "asked", mayReceive: this.slots.shift(), maySend: 0, outgoing: [], received: [], pings: 0, pongs: [] };
      this.live.set(id, added);
      this.all.push(added);
    } else if (kind === 0x40) {
      const quota = number(octets);
      if (channel) channel.maySend += quota;
    } else {
      assert.equal(kind, 0x60);
      const reason = octets.splice(0, number(octets));
      const code = reason[0] * 256 + reason[1];
      if (!channel || code === 3008) return;
      assert.equal(code, 1000, "nothing that we did is wrong");
      channel.state = "dropped by the page";
      this.live.delete(id);
      this.say(0, 0x60, id, 2, 0x0b, 0xc0);
    }
  }

  #frame(channel, [octet, ...payload]) {
    if (!channel) return;
    assert.equal(channel.state, "open");
    assert.ok(!channel.closeCame, "nothing comes behind a close frame");
    const opcode = octet & 15;
    channel.mayReceive -= payload.length + (opcode ? 1 : 0);
    assert.ok(channel.mayReceive >= 0, "the quota is kept");
    assert.equal(octet & 0x70, 0);
    if (channel.control) assert.equal(opcode, 0);
    else if (opcode < 8) assert.equal(opcode === 0, Boolean(channel.data));
    const kind = opcode >= 8 || channel.control ? "control" : "data";
    const whole = (channel[kind] ??= { opcode, payload: [] });
    whole.payload.push(...payload);
    if (!(octet & 0x80)) return;
    channel[kind] = null;
    if (whole.opcode < 8) channel.received.push({ opcode: whole.opcode, octets: Buffer.from(whole.payload) });
    else if (whole.opcode === 10) channel.pongs.push(whole.payload[0]);
    else {
      assert.equal(whole.opcode, 8);
      channel.closeCame = true;
      channel.first ??= "client";
      // A server that has not closed yet answers as soon as it can.
      channel.outgoing = [];
      this.#endIfClosed(channel);
    }
  }
}
