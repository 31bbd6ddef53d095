// One end of a channel on the wire: what it may send and in which pieces, and what the pieces that
// come make up. It knows neither the page nor the connection.

import { DropCode, LARGEST, encodeText } from "./codec.js";

const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0x0, 0x1, 0x2, 0x8, 0x9, 0xa];
const FIN = 0x80;
const RESERVED = 0x70;
/** RFC 6455 §5.5; of a control frame in pieces, it is the sum. */
const CONTROL_MOST = 125;

const EMPTY = new Uint8Array();

/** The server broke a rule of the channel, which is dropped with this code. */
export class DroppedHere extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

/** The server broke a rule of RFC 6455: the channel closes with this code. */
class Failure extends Error {
  constructor(closeCode, text) {
    super(text);
    this.closeCode = closeCode;
  }
}

/** RFC 6455 §7.4: may a close frame have this code? */
const isCloseCode = (code) =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) ||
  (code >= 3000 && code <= 4999);

const closeBody = (code, reason) =>
  code === null ? EMPTY : Uint8Array.from([code >> 8, code & 0xff, ...encodeText(reason)]);

export class Endpoint {
  /** Octets of messages that wait here to be sent. */
  queued = 0;
  /** The close frame of each side has passed. */
  closeSent = false;
  /** What came with the close frame of the peer: `{ code, reason }`. */
  closeCame = null;

  // Outwards. What is being cut: a control frame, of which the beginning may be gone.
  #sendQuota;
  #messages = [];
  #cutting = null;
  #pong = null;
  #close = null;

  // Inwards. What came since the last grant is owed.
  #receiveQuota;
  #window;
  #maxMessageSize;
  #owed = 0;
  #message = null;
  #control = null;
  #failed = false;
  #listener;

  /**
   * `quota`: what may be sent, as the slot says. `window`: what the peer may send before the next
   * grant. `listener` hears of messages (`message(text or octets)`), of the failure of the channel
   * (`failed(text)`), and of Blobs: `wakes()` when one was read, `unreadable()` if it cannot be.
   */
  constructor(quota, { window, maxMessageSize }, listener) {
    this.#sendQuota = quota;
    this.#receiveQuota = window;
    this.#window = window;
    this.#maxMessageSize = maxMessageSize;
    this.#listener = listener;
  }

  // ---- Outwards ----

  /** Queues a message: octets, or a Blob that is read when its turn comes. */
  send(opcode, data) {
    const size = data instanceof Blob ? data.size : data.length;
    this.queued += size;
    this.#messages.push({ opcode, data, at: 0 });
  }

  /** Queues a close frame behind the messages. */
  close(code, reason) {
    this.#close ??= closeBody(code, reason);
  }

  /** What waits will not be sent any more; its octets stay counted, as those of a WebSocket do. */
  #discard() {
    this.#messages = [];
  }

  /** The peer lets us send more. */
  grant(quota) {
    // README, Flow control.
    if (this.#sendQuota + quota > LARGEST) {
      throw new DroppedHere(DropCode.QUOTA_OVERFLOW, "a quota of 2^63 or more");
    }
    this.#sendQuota += quota;
  }

  /**
   * The next frame of at most `most` octets of payload, cut to the quota: `{ octet, payload, size }`,
   * `size` being the octets of a message in it. `null` if there is none, or no quota for it.
   */
  next(most) {
    if (this.closeSent) return null;
    this.#cutting ??= this.#nextControl();
    if (this.#cutting) {
      const frame = this.#cut(this.#cutting, most);
      if (frame && frame.octet & FIN) {
        // A continuation does not say which kind it ends.
        if (this.#cutting.opcode === CLOSE) this.closeSent = true;
        this.#cutting = null;
      }
      return frame && { ...frame, size: 0 };
    }
    const message = this.#messages[0];
    if (!message) return null;
    if (message.data instanceof Blob) {
      this.#read(message);
      return null;
    }
    const frame = this.#cut(message, most);
    if (!frame) return null;
    if (frame.octet & FIN) this.#messages.shift();
    this.queued -= frame.payload.length;
    return { ...frame, size: frame.payload.length };
  }

  #nextControl() {
    // Only the last of several pings need be answered (RFC 6455 §5.5.3).
    const pong = this.#pong;
    this.#pong = null;
    if (pong) return { opcode: PONG, data: pong, at: 0 };
    if (this.#close && !this.#messages.length) return { opcode: CLOSE, data: this.#close, at: 0 };
    return null;
  }

  /** README, Flow control: the first frame of a message costs one octet more than it carries. */
  #cut(message, most) {
    const begins = !message.begun;
    const quota = this.#sendQuota - (begins ? 1n : 0n);
    const left = message.data.length - message.at;
    const room = quota < BigInt(most) ? Number(quota) : most;
    if (room < 0 || (room === 0 && left > 0)) return null;
    const length = Math.min(left, room);
    const payload = message.data.subarray(message.at, message.at + length);
    message.at += length;
    message.begun = true;
    this.#sendQuota = quota - BigInt(length);
    const fin = length === left ? FIN : 0;
    return { octet: fin | (begins ? message.opcode : CONTINUATION), payload };
  }

  #read(message) {
    if (message.reading) return;
    message.reading = true;
    message.data.arrayBuffer().then(
      (buffer) => {
        message.data = new Uint8Array(buffer);
        this.#listener.wakes();
      },
      () => this.#listener.unreadable(),
    );
  }

  // ---- Inwards ----

  /**
   * A frame of the peer. What to grant it now, or 0.
   *
   * Throws `DroppedHere` if the channel cannot go on.
   */
  receive(octet, payload) {
    const cost = payload.length + ((octet & 0x0f) === CONTINUATION ? 0 : 1);
    if (cost > this.#receiveQuota) {
      throw new DroppedHere(DropCode.QUOTA_VIOLATION, "the server sent more than its quota");
    }
    this.#receiveQuota -= cost;
    this.#owed += cost;
    // Nothing counts behind a close frame (RFC 6455 §5.5.1).
    if (!this.closeCame) {
      try {
        this.#piece(octet, payload);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.#fail(error);
      }
    }
    if (this.#owed * 2 < this.#window) return 0;
    const grant = this.#owed;
    this.#receiveQuota += grant;
    this.#owed = 0;
    return grant;
  }

  #fail({ closeCode, message }) {
    this.#failed = true;
    this.#message = null;
    this.#discard();
    this.close(closeCode, "");
    this.#listener.failed(message);
  }

  /** README, Fragments: what may follow what. */
  #piece(octet, payload) {
    const opcode = octet & 0x0f;
    const isLast = (octet & FIN) !== 0;
    const misfit = (text) => new DroppedHere(DropCode.BAD_FRAGMENTATION, text);
    if (this.#control && opcode !== CONTINUATION) throw misfit("a control frame is not complete");
    if (this.#control || opcode >= CLOSE) {
      const control = (this.#control ??= { opcode, octets: [] });
      if (control.octets.length + payload.length > CONTROL_MOST) {
        throw new DroppedHere(DropCode.LOGICAL, "a control frame of more than 125 octets");
      }
      control.octets.push(...payload);
      if (isLast) this.#control = null;
      this.#checkHead(octet);
      if (isLast) this.#controlFrame(control.opcode, Uint8Array.from(control.octets));
      return;
    }
    // What still comes on a channel that has failed only costs quota.
    if (this.#failed) return;
    if (opcode === CONTINUATION && !this.#message) throw misfit("nothing to continue");
    if (opcode !== CONTINUATION && this.#message) throw misfit("a message is not complete");
    this.#checkHead(octet);
    this.#data(opcode, payload, isLast);
  }

  #checkHead(octet) {
    // No extension claims one of the bits (RFC 6455 §5.2).
    if (octet & RESERVED) throw new Failure(1002, "a reserved bit is set");
    const opcode = octet & 0x0f;
    if (opcode > PONG || (opcode > BINARY && opcode < CLOSE)) {
      throw new Failure(1002, `unknown opcode ${opcode}`);
    }
  }

  #data(opcode, payload, isLast) {
    const size = (this.#message?.size ?? 0) + payload.length;
    if (size > this.#maxMessageSize) throw new Failure(1009, "a message that is too big");
    let octets = payload;
    const isWhole = isLast && !this.#message;
    const { opcode: kind } = (this.#message ??= { opcode, size: 0, octets: EMPTY });
    if (!isWhole) octets = gather(this.#message, payload);
    if (!isLast) return;
    this.#message = null;
    this.#listener.message(kind === TEXT ? text(octets, "a text") : octets);
  }

  #controlFrame(opcode, payload) {
    if (opcode === PING) this.#pong = payload;
    if (opcode !== CLOSE) return;
    this.closeCame = { code: null, reason: "" };
    this.closeCame = parseClose(payload);
    // RFC 6455 §5.5.1: answered with the same code, and no message follows.
    this.#discard();
    this.close(this.closeCame.code, "");
  }
}

/** Adds a fragment: one buffer that doubles, since a peer may send a great many small ones. */
function gather(message, payload) {
  const size = message.size + payload.length;
  if (size > message.octets.length) {
    const larger = new Uint8Array(Math.max(size, 2 * message.octets.length));
    larger.set(message.octets.subarray(0, message.size));
    message.octets = larger;
  }
  message.octets.set(payload, message.size);
  message.size = size;
  return message.octets.subarray(0, size);
}

function text(octets, what) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    throw new Failure(1007, `${what} that is not UTF-8`);
  }
}

function parseClose(payload) {
  if (payload.length === 0) return { code: null, reason: "" };
  const code = (payload[0] << 8) | payload[1];
  if (payload.length === 1 || !isCloseCode(code)) throw new Failure(1002, "a bad close code");
  return { code, reason: text(payload.subarray(2), "a close reason") };
}
