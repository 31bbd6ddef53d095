// How somebody uses the page: through what can be seen of it, never through what is behind it.
// Declared for what comes after it in the same page.

var pane = (room) => [...document.querySelectorAll(".room")].find((pane) => pane.querySelector("h2").textContent === room);

var lines = (pane) => [...pane.querySelectorAll("li")].map((line) => line.textContent);

/** Waits until this is so. The page has no event to wait for, as nobody who looks at it has. */
var until = async (what) => {
  for (;;) {
    const value = what();
    if (value) return value;
    await new Promise((done) => setTimeout(done, 20));
  }
};

var type = (input, text) => {
  input.focus();
  document.execCommand("selectAll");
  document.execCommand("insertText", false, text);
};

var addRoom = (room) => {
  type(document.querySelector("#name"), room);
  document.querySelector("#add button[type=submit]").click();
};

var allOpen = (count) =>
  until(() => {
    const inputs = [...document.querySelectorAll(".room input")];
    return inputs.length === count && inputs.every((input) => !input.disabled) && document.querySelector("#status").textContent;
  });

var say = (room, what) => {
  type(document.querySelector("#nickname"), "ann");
  type(pane(room).querySelector("input"), what);
  pane(room).querySelector(".say button").click();
};

var heard = (count) =>
  until(() => {
    const panes = [...document.querySelectorAll(".room")];
    const all = panes.map((pane) => [pane.querySelector("h2").textContent, lines(pane)]);
    return all.every(([, lines]) => lines.length >= count) && Object.fromEntries(all);
  });
