import assert from "node:assert/strict";
import test from "node:test";

import * as codec from "../codec.js";
import { hex, octets } from "./harness.js";

const IDS = [
  [0, "00"],
  [1, "01"],
  [2, "02"],
  [55, "37"],
  [127, "7f"],
  [128, "80 80"],
  [255, "80 ff"],
  [300, "81 2c"],
  [16383, "bf ff"],
  [16384, "c0 40 00"],
  [65535, "c0 ff ff"],
  [2097151, "df ff ff"],
  [2097152, "e0 20 00 00"],
  [16777215, "e0 ff ff ff"],
  [536870911, "ff ff ff ff"],
];

const NUMBERS = [
  [0n, "00"],
  [1n, "01"],
  [125n, "7d"],
  [126n, "7e 00 7e"],
  [127n, "7e 00 7f"],
  [128n, "7e 00 80"],
  [255n, "7e 00 ff"],
  [256n, "7e 01 00"],
  [8192n, "7e 20 00"],
  [65535n, "7e ff ff"],
  [65536n, "7f 00 00 00 00 00 01 00 00"],
  [4294967295n, "7f 00 00 00 00 ff ff ff ff"],
  [4294967296n, "7f 00 00 00 01 00 00 00 00"],
  [2n ** 63n - 1n, "7f 7f ff ff ff ff ff ff ff"],
];

const put = (write, value) => {
  const out = [];
  write(value, out);
  return hex(out);
};

const code = (run) => {
  try {
    run();
  } catch (error) {
    return error.code;
  }
  return "no error";
};

test("a channel id is written and read as the table says, and leaves the rest", () => {
  for (const [id, expected] of IDS) {
    assert.equal(put(codec.putChannelId, id), expected);
    const reader = new codec.Reader(octets(`${expected} aa`));
    assert.equal(reader.channelId(), id);
    assert.equal(hex(reader.rest()), "aa");
  }
});

test("a channel id that is cut off or longer than it need be is 2002", () => {
  for (const bad of ["", "80", "c0 40", "e0 20 00", "80 00", "80 7f", "c0 00 00", "c0 3f ff", "e0 00 00 00", "e0 1f ff ff"]) {
    assert.equal(code(() => new codec.Reader(octets(bad)).channelId()), 2002, bad);
  }
});

test("a number is written and read as the table says", () => {
  for (const [number, expected] of NUMBERS) {
    assert.equal(put(codec.putNumber, number), expected);
    assert.equal(new codec.Reader(octets(expected)).number(), number);
  }
});

test("a number that is cut off, too large or longer than it need be is 2005", () => {
  for (const bad of ["", "80", "7e 00 7d", "7f 00 00 00 00 00 00 ff ff", "7f ff×8", "7e", "7e 01", "7f 00×7", "ff", "80 00×8", "fe 00 7e", "ff 00 00 00 00 00 01 00 00"]) {
    assert.equal(code(() => new codec.Reader(octets(bad)).number()), 2005, bad);
  }
});

test("what a client says is as in the vectors", () => {
  for (const [block, expected] of [
    [codec.flowControl(1, 8192), "00 40 01 7e 20 00"],
    [codec.flowControl(2, 11), "00 40 02 0b"],
    [codec.flowControl(2, 6), "00 40 02 06"],
    [codec.flowControl(300, 65536), "00 40 81 2c 7f 00 00 00 00 00 01 00 00"],
    [codec.dropChannel(1, 1000), "00 60 01 02 03 e8"],
    [codec.dropChannel(1, 3008), "00 60 01 02 0b c0"],
    [codec.dropChannel(2, 3005), "00 60 02 02 0b bd"],
    [codec.dropChannel(2, 1000, "Success"), "00 60 02 09 03 e8 53 75 63 63 65 73 73"],
    [codec.dropChannel(1, 2000, "error"), "00 60 01 07 07 d0 65 72 72 6f 72"],
    [codec.dropChannel(0, 2004, "Invalid opcode 5"), "00 60 00 12 07 d4 49 6e 76 61 6c 69 64 20 6f 70 63 6f 64 65 20 35"],
    [
      codec.addChannelRequest(3, "GET /echo HTTP/1.1\r\n\r\n"),
      "00 01 03 16 47 45 54 20 2f 65 63 68 6f 20 48 54 54 50 2f 31 2e 31 0d 0a 0d 0a",
    ],
  ]) {
    assert.equal(hex(codec.controlMessage(block)), expected);
  }
  const both = codec.controlMessage(codec.addChannelRequest(2, "GET /echo HTTP/1.1\r\n\r\n"), codec.flowControl(2, 1024));
  assert.deepEqual(both, octets("00 01 02 16 'GET /echo HTTP/1.1' CRLF CRLF 40 02 7e 04 00"));
});

test("a frame of a channel is its id, the first octet and the payload", () => {
  for (const [id, octet, payload, expected] of [
    [1, 0x81, "'Hello'", "01 81 48 65 6c 6c 6f"],
    [2, 0x01, "'He'", "02 01 48 65"],
    [2, 0x80, "'llo'", "02 80 6c 6c 6f"],
    [2, 0x81, "", "02 81"],
    [2, 0x88, "03 e8", "02 88 03 e8"],
    [2, 0x89, "'Ping!'", "02 89 50 69 6e 67 21"],
    [2, 0x8a, "'Ping!'", "02 8a 50 69 6e 67 21"],
    [300, 0x82, "01 02", "81 2c 82 01 02"],
  ]) {
    assert.equal(hex(codec.frameMessage(id, octet, octets(payload))), expected);
  }
});

const read = (text) => [...codec.blocks(new codec.Reader(octets(text)))];

test("what a server says is read as in the vectors, several blocks one behind the other", () => {
  for (const [text, ...expected] of [
    ["80 40 7e 20 00", { name: "NewChannelSlot", fallback: false, slots: 64n, quota: 8192n }],
    ["80 01 02", { name: "NewChannelSlot", fallback: false, slots: 1n, quota: 2n }],
    ["81 00 00", { name: "NewChannelSlot", fallback: true, slots: 0n, quota: 0n }],
    ["40 01 7e 20 00", { name: "FlowControl", id: 1, quota: 8192n }],
    ["40 81 2c 7f 00 00 00 00 00 01 00 00", { name: "FlowControl", id: 300, quota: 65536n }],
    [
      "40 01 7e 20 00 80 40 7e 20 00",
      { name: "FlowControl", id: 1, quota: 8192n },
      { name: "NewChannelSlot", fallback: false, slots: 64n, quota: 8192n },
    ],
    ["60 01 00", { name: "DropChannel", id: 1, code: null, text: "" }],
    ["60 02 02 0b bd", { name: "DropChannel", id: 2, code: 3005, text: "" }],
    ["60 02 09 03 e8 'Success'", { name: "DropChannel", id: 2, code: 1000, text: "Success" }],
    ["60 02 03 03 e8 ff", { name: "DropChannel", id: 2, code: 1000, text: "\ufffd" }],
    ["20 02 02 'ab'", { name: "AddChannelResponse", id: 2, rejected: false, encoding: 0, head: octets("'ab'") }],
    ["30 02 00", { name: "AddChannelResponse", id: 2, rejected: true, encoding: 0, head: octets("") }],
    ["23 02 00", { name: "AddChannelResponse", id: 2, rejected: false, encoding: 3, head: octets("") }],
  ]) {
    assert.deepEqual(read(text), expected, text);
  }
});

test("a block that breaks a rule is 2005, one that nobody knows 2004", () => {
  for (const [text, expected] of [
    ["00 02 00", 2005],
    ["1c 02 00", 2005],
    ["24 02 00", 2005],
    ["41 01 02", 2005],
    ["61 01 00", 2005],
    ["82 01 02", 2005],
    ["81 01 02", 2005],
    ["81 00 02", 2005],
    ["60 01 01 00", 2005],
    ["40 01 80", 2005],
    ["40 01 7e 00 7d", 2005],
    ["20 02 05 61 62 63", 2005],
    ["20 02 7f 7f ff ff ff ff ff ff ff", 2005],
    ["", 2005],
    ["40 80 01 05", 2002],
    ["a0", 2004],
    ["c0", 2004],
    ["e0", 2004],
  ]) {
    assert.equal(code(() => read(text)), expected, text);
  }
});

test("the first block takes effect although the second is bad", () => {
  const blocks = codec.blocks(new codec.Reader(octets("40 02 06 a0")));
  assert.equal(blocks.next().value.quota, 6n);
  assert.equal(code(() => blocks.next()), 2004);
});

test("a response is its status and its fields, whatever the case of their names", () => {
  const parse = (text) => codec.parseResponse(octets(text));
  assert.equal(parse("'HTTP/1.1 400 Bad Request' CRLF CRLF").status, 400);
  assert.equal(parse("'HTTP/1.1 404' CRLF").status, 404);
  assert.equal(parse("'HTTP/1.1 101 ' CRLF CRLF").status, 101);
  const { status, fields } = parse("'HTTP/1.1 101 Switching Protocols' CRLF 'SEC-websocket-Protocol:  a ' CRLF 'x: 1' CRLF 'X:' CRLF CRLF");
  assert.equal(status, 101);
  assert.deepEqual([...fields], [["sec-websocket-protocol", ["a"]], ["x", ["1", ""]]]);
});

test("a refusal may have content, of any octets, and what is accepted may not", () => {
  const text = octets("'HTTP/1.1 403 Forbidden' CRLF 'a: b' CRLF CRLF 'not here' CRLF CRLF ff 00");
  assert.deepEqual(codec.parseResponse(text, true), { status: 403, fields: new Map([["a", ["b"]]]) });
  assert.equal(code(() => codec.parseResponse(text, false)), 2011);
});

test("a response that cannot be read is 2011", () => {
  for (const bad of [
    "",
    "'HTTP/1.1 101 X'",
    "'HTTP/1.0 101 X' CRLF",
    "'HTTP/1.1 1010 X' CRLF",
    "'HTTP/1.1 099 X' CRLF",
    "'HTTP/1.1 101 X' CRLF 'field' CRLF CRLF",
    "'HTTP/1.1 101 X' CRLF ' folded: x' CRLF CRLF",
    "'HTTP/1.1 101 X' CRLF 'a : b' CRLF CRLF",
    "'HTTP/1.1 101 X' CRLF 'a: b' 0a 'c' CRLF CRLF",
    "'HTTP/1.1 101 X' CRLF 'a: b' CRLF CRLF 'c: d' CRLF CRLF",
    "'HTTP/1.1 101 ' ff CRLF CRLF",
    "'HTTP/1.1 101 X' CRLF 'a: ' 61×16384 CRLF CRLF",
  ]) {
    for (const rejected of bad.includes("'c: d'") ? [false] : [false, true]) {
      assert.equal(code(() => codec.parseResponse(octets(bad), rejected)), 2011, bad.slice(0, 60));
    }
  }
});
