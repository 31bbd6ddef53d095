// What an encapsulating message is made of: channel ids, numbers and control blocks, as octets.
// Sections are those of the README.

/** The channel of control blocks. */
export const CONTROL = 0;
/** The first number that a client may give a channel: there is no channel 1 here. */
export const FIRST = 2;
/** The last number there is. */
export const LAST = 0x1fffffff;
/** The largest number that a block can carry. */
export const LARGEST = (1n << 63n) - 1n;

/** Why a channel or the connection was dropped. */
export const DropCode = Object.freeze({
  NORMAL: 1000,
  PHYSICAL: 2000,
  INVALID_MESSAGE: 2001,
  CHANNEL_ID_TRUNCATED: 2002,
  FRAME_TRUNCATED: 2003,
  UNKNOWN_BLOCK: 2004,
  INVALID_BLOCK: 2005,
  SLOT_OVERFLOW: 2008,
  BAD_RESPONSE: 2011,
  RESPONSE_ENCODING: 2012,
  LOGICAL: 3000,
  QUOTA_VIOLATION: 3005,
  QUOTA_OVERFLOW: 3006,
  ACK: 3008,
  BAD_FRAGMENTATION: 3009,
});

/** The server broke a rule of the connection: all of it fails. */
export class PhysicalError extends Error {
  constructor(code, text) {
    super(text);
    this.name = "PhysicalError";
    this.code = code;
  }
}

const invalid = (text) => new PhysicalError(DropCode.INVALID_BLOCK, text);

const utf8 = new TextEncoder();

/** Text as octets. */
export const encodeText = (text) => utf8.encode(text);

/** Adds a channel id, in its shortest form. */
export function putChannelId(id, out) {
  if (id < 0x80) out.push(id);
  else if (id < 0x4000) out.push(0x80 | (id >>> 8), id & 0xff);
  else if (id < 0x200000) out.push(0xc0 | (id >>> 16), (id >>> 8) & 0xff, id & 0xff);
  else out.push(0xe0 | (id >>> 24), (id >>> 16) & 0xff, (id >>> 8) & 0xff, id & 0xff);
}

/** Adds a number of a control block, in its shortest form. A length, or a BigInt. */
export function putNumber(value, out) {
  const number = BigInt(value);
  if (number <= 125n) out.push(Number(number));
  else if (number <= 0xffffn) out.push(126, Number(number >> 8n), Number(number & 0xffn));
  else {
    out.push(127);
    for (let shift = 56n; shift >= 0n; shift -= 8n) out.push(Number((number >> shift) & 0xffn));
  }
}

/** Reads octets from the front to the end. */
export class Reader {
  #octets;
  #at = 0;

  constructor(octets) {
    this.#octets = octets;
  }

  get isEmpty() {
    return this.#at === this.#octets.length;
  }

  /** So many octets, or `null` if there are fewer. */
  take(length) {
    if (length > this.#octets.length - this.#at) return null;
    this.#at += length;
    return this.#octets.subarray(this.#at - length, this.#at);
  }

  rest() {
    return this.take(this.#octets.length - this.#at);
  }

  channelId() {
    const fail = (text) => new PhysicalError(DropCode.CHANNEL_ID_TRUNCATED, text);
    const first = this.take(1)?.[0];
    if (first === undefined) throw fail("no channel id");
    const [more, bits, least] =
      first < 0x80 ? [0, 0x7f, 0]
      : first < 0xc0 ? [1, 0x3f, 0x80]
      : first < 0xe0 ? [2, 0x1f, 0x4000]
      : [3, 0x1f, 0x200000];
    const others = this.take(more);
    if (!others) throw fail("channel id cut off");
    const id = others.reduce((sum, octet) => sum * 0x100 + octet, first & bits);
    if (id < least) throw fail("channel id longer than it need be");
    return id;
  }

  /** A BigInt below 2^63. */
  number() {
    const first = this.take(1)?.[0];
    if (first === undefined) throw invalid("no number");
    if (first > 127) throw invalid("the top bit of a number is set");
    if (first < 126) return BigInt(first);
    const octets = this.take(first === 126 ? 2 : 8);
    if (!octets) throw invalid("number cut off");
    const number = octets.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
    if (number < (first === 126 ? 126n : 0x10000n)) throw invalid("number longer than it need be");
    if (number > LARGEST) throw invalid("number of 2^63 or more");
    return number;
  }

  /** As many octets as the number in front of them says. */
  counted() {
    const length = this.number();
    const octets = length > 0xffffffffn ? null : this.take(Number(length));
    if (!octets) throw invalid("block shorter than it says");
    return octets;
  }
}

/** A message on channel 0, of control blocks: each a list of octets. */
export function controlMessage(...blocks) {
  return Uint8Array.from([CONTROL, ...blocks.flat()]);
}

/** A message with a frame of a channel. `octet`: the first of an RFC 6455 frame. */
export function frameMessage(id, octet, payload) {
  const front = [];
  putChannelId(id, front);
  front.push(octet);
  const message = new Uint8Array(front.length + payload.length);
  message.set(front);
  message.set(payload, front.length);
  return message;
}

/** Asks for a channel: the head is a difference to that of the page's own handshake. */
export function addChannelRequest(id, head) {
  const octets = encodeText(head);
  const block = [0x01];
  putChannelId(id, block);
  putNumber(octets.length, block);
  return [...block, ...octets];
}

/** Lets the server send more. */
export function flowControl(id, quota) {
  const block = [0x40];
  putChannelId(id, block);
  putNumber(quota, block);
  return block;
}

/** Ends a channel, or the connection as channel 0. */
export function dropChannel(id, code, text = "") {
  const reason = [code >> 8, code & 0xff, ...encodeText(text)];
  const block = [0x60];
  putChannelId(id, block);
  putNumber(reason.length, block);
  return [...block, ...reason];
}

/**
 * The control blocks of a message, behind its channel id: one by one, so that each can take effect
 * before the next is read.
 */
export function* blocks(reader) {
  do yield block(reader);
  while (!reader.isEmpty);
}

function block(reader) {
  const first = reader.take(1)?.[0];
  if (first === undefined) throw invalid("no control block");
  const reserved = (bits) => {
    if (first & bits) throw invalid("reserved bit set");
  };
  switch (first >> 5) {
    case 0:
      throw invalid("a server opens no channels");
    case 1: {
      reserved(0x0c);
      const rejected = (first & 0x10) !== 0;
      const encoding = first & 0x03;
      return { name: "AddChannelResponse", rejected, encoding, id: reader.channelId(), head: reader.counted() };
    }
    case 2:
      reserved(0x1f);
      return { name: "FlowControl", id: reader.channelId(), quota: reader.number() };
    case 3: {
      reserved(0x1f);
      const id = reader.channelId();
      const reason = reader.counted();
      if (reason.length === 1) throw invalid("a reason of one octet");
      const code = reason.length ? (reason[0] << 8) | reason[1] : null;
      // Words for people: whatever is not UTF-8 in them is replaced.
      const text = new TextDecoder().decode(reason.subarray(2, 125));
      return { name: "DropChannel", id, code, text };
    }
    case 4: {
      reserved(0x1e);
      const fallback = (first & 1) !== 0;
      const slots = reader.number();
      const quota = reader.number();
      if (fallback && (slots || quota)) throw invalid("a fallback that gives slots");
      return { name: "NewChannelSlot", fallback, slots, quota };
    }
    default:
      throw new PhysicalError(DropCode.UNKNOWN_BLOCK, `unknown control block ${first >> 5}`);
  }
}

const HEAD_MOST = 16 * 1024;

/** Where the head of a response ends: behind the empty line. */
function endOfHead(octets) {
  const at = octets.findIndex((octet, at) => octet === 13 && [10, 13, 10].every((next, after) => octets[at + after + 1] === next));
  return at < 0 ? octets.length : at + 4;
}

/**
 * The status and the fields of a response: names in lower case, each with its values. Behind the head
 * of a refusal there may be content, which no page is shown.
 */
export function parseResponse(octets, rejected) {
  const bad = () => new PhysicalError(DropCode.BAD_RESPONSE, "a response that cannot be read");
  if (octets.length > HEAD_MOST) throw new PhysicalError(DropCode.BAD_RESPONSE, "response over 16 KiB");
  let head;
  try {
    head = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      rejected ? octets.subarray(0, endOfHead(octets)) : octets,
    );
  } catch {
    throw bad();
  }
  if (!head.endsWith("\r\n")) throw bad();
  const [start, ...lines] = head.replace(/(\r\n){1,2}$/, "").split("\r\n");
  const status = /^HTTP\/1\.1 ([1-9]\d\d)(?: [^\r\n\0]*)?$/.exec(start)?.[1];
  if (!status) throw bad();
  const fields = new Map();
  for (const line of lines) {
    const [, name, value] = /^([^\s:]+):[ \t]*([^\r\n\0]*?)[ \t]*$/.exec(line) ?? [];
    if (!name) throw bad();
    const values = fields.get(name.toLowerCase()) ?? [];
    fields.set(name.toLowerCase(), [...values, value]);
  }
  return { status: Number(status), fields };
}
