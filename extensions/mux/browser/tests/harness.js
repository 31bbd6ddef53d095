// A socket that does what the test says, and octets written as in the README.

import { Multiplexer } from "../mux.js";

globalThis.CloseEvent ??= class CloseEvent extends Event {
  constructor(type, { code = 0, reason = "", wasClean = false, ...init } = {}) {
    super(type, init);
    Object.assign(this, { code, reason, wasClean });
  }
};

// No test waits for a timer that it does not wind itself, and no process for the timers of a test.
const { setTimeout } = globalThis;
globalThis.setTimeout = (...parameters) => setTimeout(...parameters).unref();

/** `00 40 02 06`, `'text'`, `CRLF`, and `..×3` for the octet in front of it three times in all. */
export function octets(text) {
  const out = [];
  for (const [word] of text.matchAll(/'[^']*'|\S+/g)) {
    if (word === "CRLF") out.push(13, 10);
    else if (word.startsWith("'")) out.push(...new TextEncoder().encode(word.slice(1, -1)));
    else if (/^[0-9a-f]{2}$/.test(word)) out.push(parseInt(word, 16));
    else if (/^..×\d+$/.test(word)) out.push(...Array(Number(word.slice(3))).fill(parseInt(word, 16)));
    else throw new Error(`not octets: ${word}`);
  }
  return Uint8Array.from(out);
}

export const hex = (bytes) => Buffer.from(bytes).toString("hex").replace(/..(?=.)/g, "$& ");

export class FakeSocket extends EventTarget {
  static last;
  readyState = 0;
  protocol = "";
  bufferedAmount = 0;
  binaryType = "blob";
  sent = [];
  closedWith = null;

  constructor(url, protocols) {
    super();
    Object.assign(this, { url, protocols });
    FakeSocket.last = this;
  }

  send(data) {
    if (this.readyState !== 1) throw new Error("not open");
    this.sent.push(Uint8Array.from(data));
  }

  close(code, reason = "") {
    const isAllowed = [undefined, 1000].includes(code) || (code >= 3000 && code <= 4999);
    if (!isAllowed || Buffer.byteLength(reason) > 123) throw new Error(`not of a page: ${code} ${reason}`);
    if (this.readyState >= 2) return;
    this.closedWith = { code, reason };
    this.readyState = 2;
  }

  // What the test does.

  accept(protocol = this.protocols[0]) {
    this.protocol = protocol;
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  /** A message from the server: octets as text, or what is given. */
  deliver(message) {
    const bytes = typeof message === "string" ? octets(message) : message;
    const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  deliverText(data) {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  end(close = { code: 1006, reason: "", wasClean: false }) {
    this.readyState = 3;
    this.dispatchEvent(new CloseEvent("close", close));
  }

  /** What was sent since the last call, as text. */
  take() {
    return this.sent.splice(0).map(hex);
  }
}

export function connect(options = {}, url = "wss://example.com/app") {
  const mux = new Multiplexer(url, { WebSocket: FakeSocket, ...options });
  return { mux, socket: FakeSocket.last };
}

/** Everything that was to happen soon has happened. */
export const settled = () => new Promise((done) => setImmediate(done));

/** The events of a target from now on, in short. */
export function record(target) {
  const log = [];
  const say = {
    open: () => "open",
    message: ({ data }) => (typeof data === "string" ? `text ${data}` : data instanceof Blob ? "blob" : `octets ${hex(data)}`.trim()),
    error: ({ status, dropCode, message }) => `error ${[status, dropCode].filter(Boolean).join(" ")}: ${message}`.replace(" :", ":"),
    close: ({ code, reason, wasClean }) => `close ${code}${reason && ` ${reason}`}${wasClean ? " clean" : ""}`,
  };
  for (const [type, words] of Object.entries(say)) target.addEventListener(type, (event) => log.push(words(event)));
  return log;
}

export const SLOTS = "00 80 40 7e 20 00";
/** Of channel 2: accepted, without a subprotocol. */
export const ACCEPTED = "00 20 02 39 'HTTP/1.1 101 Switching Protocols' CRLF 'Connection: Upgrade' CRLF CRLF";

/** A connection with an open channel, number 2, and quota for what the slot says. */
export async function opened(options = {}, slots = SLOTS) {
  const { mux, socket } = connect(options);
  socket.accept();
  socket.deliver(slots);
  const channel = mux.open("/echo");
  channel.binaryType = "arraybuffer";
  socket.deliver(ACCEPTED);
  const log = record(channel);
  await settled();
  socket.take();
  return { mux, socket, channel, log };
}
