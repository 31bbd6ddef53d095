// What a page sees of a channel: the interface of WebSocket.

import { encodeText } from "./codec.js";

const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
const { CONNECTING, OPEN, CLOSING, CLOSED } = STATES;

/** RFC 6455 §5.5: what a close frame holds beside its code. */
const REASON_MOST = 123;

const TEXT = 0x1;
const BINARY = 0x2;

/** A channel failed, or was refused. */
export class ChannelErrorEvent extends Event {
  /** `status`: of HTTP, if the server refused the channel, else 0. */
  status;
  /** The code with which the channel was dropped, by either side, else 0. */
  dropCode;
  /** What happened, for people. */
  message;

  constructor(type, { status = 0, dropCode = 0, message = "", ...init } = {}) {
    super(type, init);
    this.status = status;
    this.dropCode = dropCode;
    this.message = message;
  }
}

/** Attributes such as `onmessage`: a function each, called as a listener. */
export function defineHandlers(target, types) {
  for (const type of types) {
    const handlers = new WeakMap();
    Object.defineProperty(target, `on${type}`, {
      configurable: true,
      enumerable: true,
      get() {
        return handlers.get(this) ?? null;
      },
      set(handler) {
        if (!handlers.has(this)) {
          this.addEventListener(type, (event) => handlers.get(this)?.call(this, event));
        }
        handlers.set(this, typeof handler === "function" ? handler : null);
      },
    });
  }
}

/** What a page may close with, as of a WebSocket: `code` is `null` if there is none. */
export function closeFrame(code, reason) {
  const number = code === undefined ? null : Number(code);
  if (number !== null && number !== 1000 && !(number >= 3000 && number <= 4999)) {
    throw new DOMException(`A close code is 1000, or 3000 to 4999: ${code}.`, "InvalidAccessError");
  }
  const text = reason === undefined ? "" : String(reason);
  if (encodeText(text).length > REASON_MOST) {
    throw new DOMException(`The reason has more than ${REASON_MOST} octets.`, "SyntaxError");
  }
  return { code: number ?? (text ? 1000 : null), reason: text };
}

/** One WebSocket of many over one connection: made by `Multiplexer.open`. */
export class Channel extends EventTarget {
  #url;
  #link;
  #readyState = CONNECTING;
  #protocol = "";
  #binaryType = "blob";
  /** Octets that were sent when it was too late for them. */
  #late = 0;

  /** `link`: the connection's side of it, which is told here whom to tell what happens. */
  constructor(url, link) {
    super();
    this.#url = url;
    this.#link = link;
    link.tell({
      opened: (protocol) => this.#opened(protocol),
      message: (data) => this.#message(data),
      closing: () => this.#closing(),
      closed: (close, error) => this.#closed(close, error),
    });
  }

  get url() {
    return this.#url.href;
  }

  get protocol() {
    return this.#protocol;
  }

  get extensions() {
    return "";
  }

  get readyState() {
    return this.#readyState;
  }

  get bufferedAmount() {
    return this.#late + this.#link.bufferedAmount;
  }

  get binaryType() {
    return this.#binaryType;
  }

  set binaryType(type) {
    // Anything else is ignored, as with every enumeration of the web.
    if (type === "blob" || type === "arraybuffer") this.#binaryType = type;
  }

  send(data) {
    if (this.#readyState === CONNECTING) {
      throw new DOMException("The channel is not open yet.", "InvalidStateError");
    }
    const [opcode, octets] = asOctets(data);
    if (this.#readyState === OPEN) this.#link.send(opcode, octets);
    else this.#late += octets.size ?? octets.length;
  }

  close(code, reason) {
    const frame = closeFrame(code, reason);
    if (this.#readyState >= CLOSING) return;
    this.#readyState = CLOSING;
    this.#link.close(frame.code, frame.reason);
  }

  #opened(protocol) {
    this.#readyState = OPEN;
    this.#protocol = protocol;
    this.dispatchEvent(new Event("open"));
  }

  #message(received) {
    // As with a WebSocket, what comes after the call of close() is not delivered.
    if (this.#readyState !== OPEN) return;
    let data = received;
    if (typeof received !== "string") {
      data = this.#binaryType === "blob" ? new Blob([received]) : received.slice().buffer;
    }
    this.dispatchEvent(new MessageEvent("message", { data, origin: this.#url.origin }));
  }

  #closing() {
    if (this.#readyState < CLOSING) this.#readyState = CLOSING;
  }

  #closed(close, error) {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    if (error) this.dispatchEvent(new ChannelErrorEvent("error", error));
    this.dispatchEvent(new CloseEvent("close", close));
  }
}

for (const target of [Channel, Channel.prototype]) {
  for (const [name, value] of Object.entries(STATES)) {
    Object.defineProperty(target, name, { value, enumerable: true });
  }
}
defineHandlers(Channel.prototype, ["open", "message", "error", "close"]);

/** The opcode and a snapshot of what was given to `send`. */
function asOctets(data) {
  if (data instanceof Blob) return [BINARY, data];
  if (ArrayBuffer.isView(data)) {
    return [BINARY, new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()];
  }
  if (data instanceof ArrayBuffer) return [BINARY, new Uint8Array(data.slice(0))];
  return [TEXT, encodeText(String(data))];
}
