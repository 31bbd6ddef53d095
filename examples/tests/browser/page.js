// What a page sees of channels to a real server. What it saw goes to /done, and the test judges it.

import { Channel, Multiplexer } from "./mux/mux.js";

const ROOMS = Array.from({ length: 12 }, (_, at) => `/rooms/${at}`);
const LARGE = 200_000;

const me = new URLSearchParams(location.search).get("page");
const mux = new Multiplexer("/");

const event = (target, type) => new Promise((done) => target.addEventListener(type, done, { once: true }));

async function open(path, protocols) {
  const channel = mux.open(path, protocols);
  channel.binaryType = "arraybuffer";
  await event(channel, "open");
  return channel;
}

/** In every room both pages are heard. Who comes second is answered. */
async function meet() {
  const channels = await Promise.all(
    ROOMS.map(async (path) => {
      const channel = mux.open(path);
      const heard = new Set();
      const all = new Promise((done) => {
        channel.onmessage = ({ data }) => {
          if (!heard.has(data) && data !== `${me} in ${path}`) channel.send(`${me} in ${path}`);
          heard.add(data);
          if (heard.size === 2) done();
        };
      });
      await event(channel, "open");
      channel.send(`${me} in ${path}`);
      return { channel, heard, all };
    }),
  );
  const opened = mux.channels;
  await Promise.all(channels.map(({ all }) => all));
  return { opened, heard: channels.map(({ heard }) => [...heard].sort()) };
}

async function echoes() {
  const channel = await open("/echo");
  const seen = [];
  for (const data of ["Hello", "", "ä €  😀", Uint8Array.of(0, 255, 128)]) {
    channel.send(data);
    const back = (await event(channel, "message")).data;
    seen.push(typeof back === "string" ? back : [...new Uint8Array(back)]);
  }
  channel.binaryType = "blob";
  channel.send(new Blob(["a ", "blob"]));
  seen.push(await (await event(channel, "message")).data.text());
  return seen;
}

/** Four channels at once, text and octets, each way larger than any quota. */
async function large() {
  const one = async (at) => {
    const channel = await open("/echo");
    const octets = Uint8Array.from({ length: LARGE }, (_, place) => (place * 31 + (place >> 8) + at) & 255);
    const text = String.fromCharCode(...Array.from({ length: 1000 }, (_, place) => 97 + ((place + at) % 26))).repeat(LARGE / 1000);
    channel.send(octets);
    channel.send(text);
    const buffered = channel.bufferedAmount;
    const back = new Uint8Array((await event(channel, "message")).data);
    const same = back.length === LARGE && back.every((octet, place) => octet === octets[place]);
    const sameText = (await event(channel, "message")).data === text;
    return [buffered, same, sameText, channel.bufferedAmount];
  };
  return Promise.all([0, 1, 2, 3].map(one));
}

const ending = ({ code, reason, wasClean }) => [code, reason, wasClean];

async function closes() {
  const seen = [];
  for (const parameters of [[1000], [4000, "over"], []]) {
    const channel = await open("/echo");
    channel.close(...parameters);
    seen.push(ending(await event(channel, "close")));
  }
  const closed = await open("/closes");
  closed.send("do");
  seen.push(ending(await event(closed, "close")));
  return seen;
}

async function refused() {
  const channel = mux.open("/refused");
  const events = [];
  channel.onopen = () => events.push("open");
  channel.onerror = ({ status }) => events.push(["error", status]);
  channel.onclose = (close) => events.push(["close", ...ending(close)]);
  await event(channel, "close");
  return events;
}

async function interfaces() {
  const channel = await open("/echo", ["x-bar", "x-foo"]);
  const missing = Object.getOwnPropertyNames(WebSocket.prototype).filter((property) => !(property in channel));
  return { protocol: channel.protocol, url: channel.url.replace(/:\d+/, ""), missing, isOpen: channel.readyState === Channel.OPEN };
}

/** Channels come and go: numbers and slots are used again. */
async function turnover() {
  for (let round = 0; round < 40; round += 1) {
    const channel = await open("/echo");
    channel.send(`${round}`);
    if ((await event(channel, "message")).data !== `${round}`) return round;
    channel.close();
    await event(channel, "close");
  }
  return "all";
}

/** Lets what the page did, in the document of a frame, come true. */
async function until(what) {
  for (let tries = 0; tries < 500; tries += 1) {
    const value = what();
    if (value) return value;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`never: ${what}`);
}

/** The chat page, as somebody uses it. */
async function chat() {
  const frame = document.createElement("iframe");
  const violations = [];
  frame.src = "./chat/index.html#clover,meadow,%2Fa%20b";
  document.body.append(frame);
  await event(frame, "load");
  const page = frame.contentDocument;
  page.addEventListener("securitypolicyviolation", ({ violatedDirective }) => violations.push(violatedDirective));
  const status = () => page.querySelector("#status").textContent;
  const seen = { status: [] };
  const shows = async (text) => seen.status.push(await until(() => status() === text && text));
  await shows("3 channels over 1 connection");
  page.querySelector("#nickname").value = "ann";
  const room = page.querySelector(".room:nth-of-type(3)");
  const input = await until(() => !room.querySelector("input").disabled && room.querySelector("input"));
  input.value = "hello <b>you</b>";
  room.querySelector("form").requestSubmit();
  await until(() => room.querySelector("li"));
  seen.talk = [room.querySelector("h2").textContent, room.querySelector("li b").textContent, room.querySelector("li").textContent];
  seen.others = page.querySelectorAll(".room li").length - 1;
  page.querySelector("#dozen").click();
  await shows("13 channels over 1 connection");
  seen.rooms = page.querySelectorAll(".room").length;
  room.querySelector(".leave").click();
  await shows("12 channels over 1 connection");
  page.querySelector("#name").value = "refused";
  page.querySelector("#add").requestSubmit();
  const last = [...page.querySelectorAll(".room")].at(-1);
  seen.refused = await until(() => last.querySelector(".state").textContent.startsWith("refused") && last.querySelector(".state").textContent);
  seen.violations = violations;
  return seen;
}

const PARTS = { meet, echoes, large, closes, refused, interfaces, turnover, chat };

const patience = () => new Promise((_, fail) => setTimeout(() => fail(new Error("it hangs")), 30_000));

async function run() {
  await event(mux, "open");
  const seen = {};
  for (const part of new URLSearchParams(location.search).get("parts").split(",")) {
    try {
      seen[part] = await Promise.race([PARTS[part](), patience()]);
    } catch (error) {
      seen[part] = `${error}`;
    }
  }
  mux.close();
  await event(mux, "close");
  return seen;
}

await fetch(`/done?${me}`, { method: "POST", body: JSON.stringify(await run()) });
