// The connection, and what all its channels share: slots, numbers, turns.

import { Channel, closeFrame, defineHandlers } from "./channel.js";
import * as codec from "./codec.js";
import { DropCode, PhysicalError } from "./codec.js";
import { DroppedHere, Endpoint } from "./endpoint.js";

/** The subprotocol's name, unless the page says otherwise. */
const PROTOCOL = "cloverleaf.mux";

/** A message on the wire is at most 8 KiB long: channel id, first octet, payload. */
const PAYLOAD_MOST = 8 * 1024 - 5;
/** Slots of so many different quotas may wait. */
const KINDS_MOST = 64;
/** Our part of a request; the server puts its base to it and takes 16 KiB in all. */
const HEAD_MOST = 8 * 1024;
/** How long to wait, in milliseconds, before looking again whether the socket has room. */
const LOOK_AGAIN = 10;
/** What is to be added to a drop code to have a close code that a page may use (RFC 6455 §7.4.2). */
const TO_CLOSE_CODE = 2000;

const OPEN = 1;
const CLOSING = 2;

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const DEFAULTS = {
  protocol: PROTOCOL,
  window: 64 * 1024,
  maxMessageSize: 16 * 1024 * 1024,
  maxSocketBuffer: 1024 * 1024,
  closeTimeout: 10_000,
};

/** The connection failed. */
export class MultiplexerErrorEvent extends Event {
  /** The code of the drop that ended the connection, sent or received; 0 if there was none. */
  dropCode;
  /** What happened, for people. */
  message;

  constructor(type, { dropCode = 0, message = "", ...init } = {}) {
    super(type, init);
    this.dropCode = dropCode;
    this.message = message;
  }
}

/** What the connection knows of a channel: between `Channel` and `Endpoint`. */
class Line {
  /** `null` while it waits for a slot. */
  id = null;
  endpoint = null;
  /** How many requests there have been, with its own. */
  request = 0;
  isOpen = false;
  isOver = false;
  /** It stands in the queue of those that want to send. */
  isQueued = false;
  /** Octets of its messages that the socket has and did not send yet. */
  inSocket = 0;
  /** Runs while only the other side can end it. */
  timer = null;
  channel = null;
  /** Whom to tell what happens. */
  page = null;

  constructor(head, protocols) {
    this.head = head;
    this.protocols = protocols;
  }
}

/** Many channels over one connection. */
export class Multiplexer extends EventTarget {
  #url;
  #options;
  #socket;
  #isClosing = null;
  #hasFailed = false;

  /** `{ count, quota }`, oldest first. */
  #slots = [];
  /** The server gives no more. */
  #fallback = false;
  #waiting = [];
  /** By number. */
  #lines = new Map();
  /** Numbers of channels that are gone for us, and maybe not for the server: how many requests had been sent then. */
  #retired = new Map();
  #requests = 0;

  /** Those that may have something to send, in the order of their turns. */
  #turns = [];
  #isPumpDue = false;
  #timer = null;
  /** Octets given to the socket. */
  #handed = 0;
  /** Whose messages the socket has, and where they end. */
  #ledger = [];

  constructor(url, options = {}) {
    super();
    this.#options = { ...DEFAULTS, WebSocket: globalThis.WebSocket, ...options };
    this.#url = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);
    this.#url.protocol = this.#url.protocol.replace(/^http/, "ws");
    this.#url.hash = "";
    const socket = new this.#options.WebSocket(this.#url.href, [this.#options.protocol]);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", (event) => this.#received(event.data));
    socket.addEventListener("error", () => this.#reportError(0, "the connection failed"));
    socket.addEventListener("close", (event) => this.#ended(event));
  }

  get url() {
    return this.#url.href;
  }

  /** As of a WebSocket: of the connection. */
  get readyState() {
    return this.#isClosing ? Math.max(CLOSING, this.#socket.readyState) : this.#socket.readyState;
  }

  /** How many channels have a number: opening, open or closing. */
  get channels() {
    return this.#lines.size;
  }

  /** How many channels wait for a slot. */
  get waiting() {
    return this.#waiting.length;
  }

  /** Opens a channel, as `new WebSocket(url, protocols)` would: it never fails at once. */
  open(path, protocols = []) {
    const url = new URL(path, this.#url);
    url.protocol = url.protocol.replace(/^http/, "ws");
    url.hash = "";
    if (url.origin !== this.#url.origin) {
      throw new DOMException(`Not on the server of this connection: ${url.href}.`, "SyntaxError");
    }
    const asked = typeof protocols === "string" ? [protocols] : [...protocols];
    if (!asked.every((one) => TOKEN.test(one)) || new Set(asked).size !== asked.length) {
      throw new DOMException("Subprotocols must be tokens, each once.", "SyntaxError");
    }
    const head =
      `GET ${url.pathname}${url.search} HTTP/1.1\r\n` +
      // What the page's handshake named are not these, and without a value the field goes.
      `Sec-WebSocket-Protocol:${asked.length ? ` ${asked.join(", ")}` : ""}\r\n` +
      "Sec-WebSocket-Extensions:\r\n\r\n";
    if (head.length > HEAD_MOST) {
      throw new DOMException("Path and subprotocols are longer than 8 KiB.", "SyntaxError");
    }
    const line = new Line(head, asked);
    line.channel = new Channel(url, this.#link(line));
    if (this.readyState >= CLOSING || this.#hasFailed) {
      this.#finish(line, { message: "the connection is closed" });
    } else {
      this.#waiting.push(line);
      this.#admit();
    }
    return line.channel;
  }

  /** Closes every channel, and then the connection. */
  close(code, reason) {
    closeFrame(code, reason);
    if (this.#isClosing || this.#hasFailed) return;
    const lines = [...this.#waiting, ...this.#lines.values()];
    for (const line of lines) line.channel.close(code, reason);
    if (this.#socket.readyState !== OPEN) this.#socket.close(code, reason);
    this.#isClosing = { code, reason };
    this.#closeWhenEmpty();
  }

  #closeWhenEmpty() {
    if (!this.#isClosing || this.#lines.size || this.#socket.readyState !== OPEN) return;
    this.#socket.close(this.#isClosing.code, this.#isClosing.reason);
  }

  // ---- What channels want ----

  #link(line) {
    const multiplexer = this;
    return {
      tell: (page) => {
        line.page = page;
      },
      send: (opcode, data) => {
        line.endpoint.send(opcode, data);
        this.#queue(line);
      },
      close: (code, reason) => this.#close(line, code, reason),
      get bufferedAmount() {
        multiplexer.#settle();
        return (line.endpoint?.queued ?? 0) + line.inSocket;
      },
    };
  }

  #close(line, code, reason) {
    if (line.isOpen) {
      line.endpoint.close(code, reason);
      this.#queue(line);
      return;
    }
    const error = { message: "closed before it was open" };
    if (line.id === null) {
      this.#waiting = this.#waiting.filter((other) => other !== line);
      this.#finish(line, error);
    } else {
      this.#drop(line, DropCode.NORMAL, error);
    }
  }

  /** Requests what there are slots for, in the order in which it was asked for. */
  #admit() {
    if (this.#socket.readyState !== OPEN || this.#hasFailed) return;
    while (this.#waiting.length && this.#slots.length) {
      const slot = this.#slots[0];
      slot.count -= 1n;
      if (slot.count === 0n) this.#slots.shift();
      this.#request(this.#waiting.shift(), slot.quota);
    }
    if (!this.#fallback) return;
    for (const line of this.#waiting.splice(0)) {
      this.#finish(line, { message: "the server gives this connection no more channels" });
    }
  }

  #request(line, quota) {
    let id = codec.FIRST;
    while (this.#lines.has(id) || this.#retired.has(id)) id += 1;
    line.id = id;
    line.request = this.#requests += 1;
    const { window } = this.#options;
    line.endpoint = new Endpoint(quota, this.#options, {
      message: (data) => line.page.message(data),
      failed: (message) => {
        this.#wait(line);
        // For the page it is over; the close frames may pass all the same.
        this.#tell(line, { code: 1006, reason: "", wasClean: false }, { message });
      },
      wakes: () => this.#queue(line),
      unreadable: () => {
        if (!line.isOver) this.#drop(line, DropCode.LOGICAL, { message: "a Blob that cannot be read" });
      },
    });
    this.#lines.set(id, line);
    this.#post(codec.controlMessage(codec.addChannelRequest(id, line.head), codec.flowControl(id, window)));
  }

  // ---- What ends ----

  /** The channel is over on the wire. */
  #finish(line, error) {
    line.isOver = true;
    clearTimeout(line.timer);
    if (line.id !== null) {
      this.#lines.delete(line.id);
      this.#retired.set(line.id, this.#requests);
    }
    const came = line.endpoint?.closeCame;
    const wasClean = Boolean(came && line.endpoint.closeSent);
    const close = came
      ? { code: came.code ?? 1005, reason: came.reason, wasClean }
      : { code: 1006, reason: "", wasClean };
    this.#tell(line, close, came ? null : error);
    this.#closeWhenEmpty();
  }

  /** Soon, and never within a call of the page's. */
  #tell(line, close, error) {
    line.page.closing();
    queueMicrotask(() => line.page.closed(close, error));
  }

  #drop(line, code, error) {
    this.#post(codec.controlMessage(codec.dropChannel(line.id, code)));
    this.#finish(line, { dropCode: code, ...error });
  }

  /** Only the server can end it now, and not for ever. */
  #wait(line) {
    line.timer ??= setTimeout(() => {
      this.#drop(line, DropCode.NORMAL, { message: "the server did not close the channel in time" });
    }, this.#options.closeTimeout);
  }

  #fail(code, text, isOurs) {
    this.#hasFailed = true;
    if (isOurs) this.#post(codec.controlMessage(codec.dropChannel(codec.CONTROL, code, text)));
    // A browser sends no 1011.
    const isPhysical = code >= 2000 && code < 3000;
    this.#socket.close((isPhysical ? code : DropCode.PHYSICAL) + TO_CLOSE_CODE, isOurs ? text : "");
    this.#reportError(code, text);
    this.#finishAll({ dropCode: code, message: text });
  }

  #finishAll(error) {
    for (const line of [...this.#waiting.splice(0), ...this.#lines.values()]) this.#finish(line, error);
  }

  #reportError(dropCode, message) {
    this.dispatchEvent(new MultiplexerErrorEvent("error", { dropCode, message }));
  }

  // ---- What the socket says ----

  #opened() {
    if (this.#socket.protocol !== this.#options.protocol) {
      this.#fail(DropCode.PHYSICAL, "the server does not speak the subprotocol", false);
      return;
    }
    this.dispatchEvent(new Event("open"));
  }

  #ended({ code, reason, wasClean }) {
    this.#hasFailed = true;
    this.#finishAll({ message: "the connection ended" });
    // The channels come first.
    queueMicrotask(() => this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean })));
  }

  #received(data) {
    if (this.#hasFailed) return;
    try {
      this.#translate(data);
    } catch (error) {
      if (!(error instanceof PhysicalError)) throw error;
      this.#fail(error.code, error.message, true);
    }
  }

  #translate(data) {
    if (!(data instanceof ArrayBuffer)) {
      throw new PhysicalError(DropCode.INVALID_MESSAGE, "not a binary message");
    }
    const reader = new codec.Reader(new Uint8Array(data));
    const id = reader.channelId();
    if (id === codec.CONTROL) {
      for (const block of codec.blocks(reader)) {
        this.#block(block);
        // The server said so.
        if (this.#hasFailed) return;
      }
      return;
    }
    const octet = reader.take(1)?.[0];
    if (octet === undefined) throw new PhysicalError(DropCode.FRAME_TRUNCATED, "no frame");
    // Of a channel that is gone: the server did not know yet.
    const line = this.#lines.get(id);
    if (line) this.#frame(line, octet, reader.rest());
  }

  #frame(line, octet, payload) {
    const { endpoint } = line;
    try {
      if (!line.isOpen) throw new DroppedHere(DropCode.LOGICAL, "a frame before the response");
      const grant = endpoint.receive(octet, payload);
      if (grant) this.#post(codec.controlMessage(codec.flowControl(line.id, grant)));
    } catch (error) {
      this.#dropFor(line, error);
      return;
    }
    if (endpoint.closeCame) {
      line.page.closing();
      this.#wait(line);
    }
    this.#finishIfClosed(line);
    // It may have an answer.
    if (!line.isOver) this.#queue(line);
  }

  #dropFor(line, error) {
    if (!(error instanceof DroppedHere)) throw error;
    this.#drop(line, error.code, { message: error.message });
  }

  #finishIfClosed(line) {
    if (line.endpoint.closeSent && line.endpoint.closeCame) this.#finish(line);
  }

  #block(block) {
    const line = this.#lines.get(block.id);
    switch (block.name) {
      case "AddChannelResponse":
        this.#answered(line, block);
        break;
      case "FlowControl":
        if (line) this.#granted(line, block.quota);
        break;
      case "DropChannel":
        this.#dropped(line, block);
        break;
      case "NewChannelSlot":
        this.#slotsCame(block);
        break;
    }
  }

  #answered(line, { id, rejected, encoding, head }) {
    if (encoding !== 0) throw new PhysicalError(DropCode.RESPONSE_ENCODING, "a response that is not whole");
    if (!line && !this.#retired.has(id)) {
      throw new PhysicalError(DropCode.BAD_RESPONSE, "a response to no request");
    }
    // A second one, or one that crossed our drop.
    if (!line || line.isOpen) return;
    const { status, fields } = codec.parseResponse(head, rejected);
    if (!rejected && status !== 101) {
      throw new PhysicalError(DropCode.BAD_RESPONSE, `a channel accepted with status ${status}`);
    }
    // It had read all that we said before this request: README, Numbers.
    for (const [old, requests] of this.#retired) {
      if (requests < line.request) this.#retired.delete(old);
    }
    if (rejected) {
      this.#finish(line, { status, message: `the server refused the channel with status ${status}` });
      return;
    }
    const chosen = fields.get("sec-websocket-protocol") ?? [];
    if (chosen.length > 1 || (chosen.length && !line.protocols.includes(chosen[0]))) {
      this.#drop(line, DropCode.LOGICAL, { message: "a subprotocol that was not asked for" });
    } else if (fields.has("sec-websocket-extensions")) {
      this.#drop(line, DropCode.LOGICAL, { message: "an extension that was not asked for" });
    } else {
      line.isOpen = true;
      line.page.opened(chosen[0] ?? "");
    }
  }

  #granted(line, quota) {
    try {
      line.endpoint.grant(quota);
    } catch (error) {
      this.#dropFor(line, error);
      return;
    }
    this.#queue(line);
  }

  #dropped(line, { id, code, text }) {
    if (id === codec.CONTROL) {
      this.#fail(code ?? DropCode.PHYSICAL, text || "the server failed the connection", false);
    } else if (!line) {
      // An acknowledgement, or one that crossed ours: the server knows.
      this.#retired.delete(id);
    } else if (code !== DropCode.ACK) {
      this.#post(codec.controlMessage(codec.dropChannel(id, DropCode.ACK)));
      this.#finish(line, { dropCode: code ?? 0, message: text || "the server dropped the channel" });
      this.#retired.delete(id);
    }
  }

  #slotsCame({ fallback, slots, quota }) {
    this.#fallback = fallback;
    if (slots > 0n) {
      const sum = this.#slots.reduce((sum, { count }) => sum + count, slots);
      const last = this.#slots.at(-1);
      const isNewKind = last?.quota !== quota;
      if (sum > codec.LARGEST || (isNewKind && this.#slots.length === KINDS_MOST)) {
        throw new PhysicalError(DropCode.SLOT_OVERFLOW, "too many slots");
      }
      if (isNewKind) this.#slots.push({ count: slots, quota });
      else last.count += slots;
    }
    this.#admit();
  }

  // ---- What goes out ----

  #post(message) {
    if (this.#socket.readyState !== OPEN) return;
    this.#socket.send(message);
    this.#handed += message.length;
  }

  #queue(line) {
    if (!line.isQueued) {
      line.isQueued = true;
      this.#turns.push(line);
    }
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    // As of a WebSocket, bufferedAmount does not fall before the page's script is through.
    queueMicrotask(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  /** One message of one channel after the other, as long as the socket has room. */
  #pump() {
    while (this.#turns.length && this.#socket.readyState === OPEN) {
      if (this.#socket.bufferedAmount >= this.#options.maxSocketBuffer) {
        // There is no event for it: one timer, and only while something waits.
        this.#timer ??= setTimeout(() => {
          this.#timer = null;
          this.#pump();
        }, LOOK_AGAIN);
        return;
      }
      this.#settle();
      const line = this.#turns.shift();
      line.isQueued = false;
      if (!line.isOver) this.#sendOne(line);
    }
  }

  #sendOne(line) {
    const frame = line.endpoint.next(PAYLOAD_MOST);
    if (!frame) return;
    this.#post(codec.frameMessage(line.id, frame.octet, frame.payload));
    if (frame.size) {
      line.inSocket += frame.size;
      this.#ledger.push({ line, size: frame.size, end: this.#handed });
    }
    if (line.endpoint.closeSent) this.#wait(line);
    this.#finishIfClosed(line);
    if (!line.isOver) this.#queue(line);
  }

  /** What the socket has sent meanwhile is no longer in it. */
  #settle() {
    const sent = this.#handed - this.#socket.bufferedAmount;
    while (this.#ledger.length && this.#ledger[0].end <= sent) {
      const { line, size } = this.#ledger.shift();
      line.inSocket -= size;
    }
  }
}

for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN, CLOSING, CLOSED: 3 })) {
  for (const target of [Multiplexer, Multiplexer.prototype]) {
    Object.defineProperty(target, name, { value, enumerable: true });
  }
}
defineHandlers(Multiplexer.prototype, ["open", "error", "close"]);
