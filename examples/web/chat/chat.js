// Chat rooms, each a WebSocket of its own, all over one connection.

import { Multiplexer } from "./mux/mux.js";

const $ = (selector, root = document) => root.querySelector(selector);

/** Lines of a room, and of what happens, that are kept. */
const LINES_MOST = 200;

const NAMES = ["clover", "meadow", "orchard", "hedge", "brook", "heath", "grove", "marsh", "fen", "dune", "glen", "moor"];

let mux = null;
/** By name. */
const rooms = new Map();

// ---- What is shown ----

function addLine(list, ...parts) {
  const window = list.parentElement;
  const atEnd = window.scrollHeight - window.scrollTop - window.clientHeight < 24;
  const line = document.createElement("li");
  line.append(...parts);
  list.append(line);
  while (list.children.length > LINES_MOST) list.firstChild.remove();
  // Who has scrolled up is reading.
  if (atEnd) window.scrollTop = window.scrollHeight;
  return line;
}

function happened(what, kind = "") {
  addLine($("#events"), what).className = kind;
}

const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function showStatus() {
  const isOpen = mux.readyState === Multiplexer.OPEN;
  const isOver = mux.readyState > Multiplexer.OPEN;
  const waiting = mux.waiting ? `, ${mux.waiting} waiting` : "";
  const text =
    isOpen ? `${counted(mux.channels, "channel")} over 1 connection${waiting}`
    : isOver ? "Not connected"
    : "Connecting…";
  const status = $("#status");
  if (status.textContent !== text) status.textContent = text;
  status.dataset.state = isOpen ? "open" : isOver ? "closed" : "opening";
  $("#again").hidden = !isOver;
  $("#none").hidden = rooms.size > 0;
}

/** The same colour for the same name, everywhere. */
function hueOf(author) {
  let hue = 7;
  for (const letter of author) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  return hue;
}

// ---- Rooms ----

class Room {
  constructor(name) {
    this.name = name;
    this.pane = $("#room").content.firstElementChild.cloneNode(true);
    this.talk = $(".talk ol", this.pane);
    this.input = $("input", this.pane);
    $("h2", this.pane).textContent = name;
    this.pane.setAttribute("aria-label", `Room ${name}`);
    $(".talk", this.pane).setAttribute("aria-label", `Messages in ${name}`);
    $(".unseen", this.pane).textContent = `Message to ${name}`;
    $(".leave", this.pane).setAttribute("aria-label", `Leave ${name}`);
    $(".leave", this.pane).addEventListener("click", () => this.leave());
    $("form", this.pane).addEventListener("submit", (event) => {
      event.preventDefault();
      this.say();
    });
    $("#rooms").append(this.pane);
  }

  join() {
    const channel = mux.open(`/rooms/${encodeURIComponent(this.name)}`);
    this.channel = channel;
    this.show("joining…");
    channel.onopen = () => {
      happened(`${this.name}: channel open`, "good");
      this.show("", true);
      showStatus();
    };
    channel.onmessage = ({ data }) => this.heard(data);
    let refused = "";
    // Here a channel says more than a WebSocket would.
    channel.onerror = ({ status, message }) => {
      if (status) refused = `refused, ${status}`;
      happened(`${this.name}: ${message}`, "bad");
    };
    channel.onclose = ({ code, reason }) => {
      happened(`${this.name}: channel closed, ${code}${reason && ` ${reason}`}`);
      this.show(refused || `closed, ${code}`);
      showStatus();
    };
  }

  show(state, isOpen = false) {
    $(".state", this.pane).textContent = state;
    this.input.disabled = !isOpen;
    $(".say button", this.pane).disabled = !isOpen;
  }

  say() {
    const nickname = $("#nickname");
    if (!nickname.reportValidity() || this.channel.readyState !== WebSocket.OPEN) return;
    this.channel.send(`${nickname.value.trim()}: ${this.input.value}`);
    this.input.value = "";
  }

  heard(data) {
    const text = typeof data === "string" ? data : "(not text)";
    const [, author, said] = /^([^:]{1,40}): (.*)$/s.exec(text) ?? [null, "", text];
    const name = document.createElement("b");
    name.textContent = author;
    name.style.setProperty("--hue", hueOf(author));
    if (author) addLine(this.talk, name, " ", said);
    else addLine(this.talk, said);
  }

  leave() {
    this.channel.close(1000, "left");
    this.pane.remove();
    rooms.delete(this.name);
    remember();
    showStatus();
    $("#name").focus();
  }
}

function add(name) {
  if (!name || rooms.has(name)) return rooms.get(name);
  const room = new Room(name);
  rooms.set(name, room);
  room.join();
  remember();
  showStatus();
  return room;
}

/** The address names the rooms, so that it can be shared. */
function remember() {
  const names = [...rooms.keys()].map(encodeURIComponent).join(",");
  history.replaceState(null, "", names ? `#${names}` : location.pathname + location.search);
}

function remembered() {
  try {
    return location.hash.slice(1).split(",").map(decodeURIComponent).filter(Boolean);
  } catch {
    return [];
  }
}

// ---- The connection ----

function connect() {
  // The rooms' paths are of the same server; "/" is where its WebSocket is.
  mux = new Multiplexer("/");
  mux.onopen = () => {
    happened("connection open", "good");
    showStatus();
  };
  mux.onerror = ({ message }) => happened(`connection: ${message}`, "bad");
  mux.onclose = ({ code, reason }) => {
    happened(`connection closed, ${code}${reason && ` ${reason}`}`, "bad");
    showStatus();
  };
  for (const room of rooms.values()) room.join();
  showStatus();
}

$("#again").addEventListener("click", connect);
$("#add").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("#name");
  const room = add(name.value.trim());
  name.value = "";
  room?.pane.scrollIntoView({ block: "nearest" });
});
$("#dozen").addEventListener("click", () => NAMES.forEach(add));
$("#nickname").value = `guest ${1 + Math.floor(Math.random() * 999)}`;

connect();
const names = remembered();
(names.length ? names : NAMES.slice(0, 3)).forEach(add);
