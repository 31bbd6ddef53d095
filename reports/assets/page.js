"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const form = $(".filter");
  if (!form) return;
  const { q, v, g, s, o, n } = form.elements;

  // Details that are packed: base64 of deflated markup, which the renderer has escaped.
  const unpack = async (rest) => {
    const text = rest.dataset.packed;
    if (!text || typeof DecompressionStream === "undefined") return;
    delete rest.dataset.packed;
    const octets = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([octets]).stream();
    const plain = stream.pipeThrough(new DecompressionStream("deflate-raw"));
    const whole = document.createElement("template");
    whole.innerHTML = await new Response(plain).text();
    $(".cut", rest)?.remove();
    $$(".result", whole.content).forEach((result) => {
      // Of a result with remarks the page already shows verdicts and sentences.
      const known = document.getElementById($(".body", result).id);
      if (known) known.closest(".result").replaceWith(result);
      else rest.append(result);
    });
  };
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.open && event.target.dataset.packed) unpack(event.target);
    },
    true,
  );

  // Following a link to a result unfolds it, also where the browser would not.
  const reveal = async () => {
    const address = decodeURIComponent(location.hash.slice(1));
    const article = document.getElementById(address.split(":")[0]);
    if (!address || !article) return;
    let target = document.getElementById(address);
    const rest = $(".rest", article);
    if (address.includes(":") && rest && (!target || rest.dataset.packed)) {
      await unpack(rest);
      rest.open = true;
      target = document.getElementById(address);
    }
    const details = target && target.closest("details");
    if (details) {
      details.open = true;
      $$(".marked").forEach((other) => other.classList.remove("marked"));
      details.classList.add("marked");
    }
    (details || article).scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  // A case is a row of the matrix and an article below; both lists have the same order.
  const rows = $$(".matrix tbody tr:not(.sec)");
  const cases = $$(".case");
  const groups = $$(".group");
  const chapters = $$(".chapter");
  const heads = $$(".row.head > *");
  const names = heads.slice(1).map((head) => head.textContent);
  const columns = document.head.appendChild(document.createElement("style"));
  let texts;
  let unfolded = false;

  const one = (position) => {
    const matrix = $(".matrix");
    matrix.classList.toggle("single", position !== "");
    matrix.style.setProperty("--n", position === "" ? names.length : 1);
    const at = Number(position) + 2;
    columns.textContent =
      position === ""
        ? ""
        : `.matrix .row>:not(:first-child,:nth-child(${at})),` +
          `.matrix tr:not(.sec)>:not(:first-child,:nth-child(${at})),` +
          `.matrix col:not(:first-child,:nth-child(${at})),` +
          `.result:not([data-s="${position}"]){display:none}`;
  };

  const filter = () => {
    const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const [kind, verdict] = v.value.split(":");
    const group = g ? g.value : "";
    const subject = s ? s.value : "";
    const only = o.value;
    if (words.length && !texts) {
      texts = rows.map((row, at) => (row.textContent + cases[at].textContent).toLowerCase());
    }
    const fits = (cell) =>
      (!kind ||
        (kind === "v" ? cell.classList[0] === verdict : (cell.dataset.c || "ok") === verdict)) &&
      (!only ||
        cell.classList.contains("rem") ||
        (only === "remark" && cell.classList.contains("acc")));
    let shown = 0;
    rows.forEach((row, at) => {
      let wanted =
        words.every((word) => texts[at].includes(word)) &&
        (!group || cases[at].parentNode.dataset.g === group);
      if (wanted && (kind || only || subject)) {
        const cells = subject ? [row.cells[Number(subject) + 1]] : [...row.cells].slice(1);
        wanted = cells.some((cell) => !cell.classList.contains("none") && fits(cell));
      }
      row.hidden = cases[at].hidden = !wanted;
      if (wanted) shown += 1;
    });
    const filtering = words.length > 0 || Boolean(kind || group || subject || only);
    $$(".matrix .sec, .cases .section").forEach((title) => {
      title.hidden = filtering;
    });
    // What the filter unfolded it folds again: thousands of rows are slow to lay out.
    const unfold = filtering && shown <= 200;
    groups.forEach((group, at) => {
      const some = $("tbody tr:not([hidden])", group) !== null;
      group.hidden = chapters[at].hidden = !some;
      if (unfold || unfolded) group.open = unfold && some;
    });
    unfolded = unfold;
    one(subject);
    n.value = filtering ? shown + " of " + rows.length + " cases" : "";
  };

  const fold = (open) => {
    groups.forEach((group) => {
      group.open = open;
    });
  };

  // The cells of a matrix without words: full words upon hovering, the result upon a click.
  const cell = (event) => event.target.closest?.(".matrix td");
  const result = (td) => $("th a", td.parentNode).hash.slice(1);
  document.addEventListener("mouseover", (event) => {
    const td = cell(event);
    if (!td || td.title || td.cellIndex < 1) return;
    const label = td.getAttribute("aria-label") || $("[aria-label]", td)?.getAttribute("aria-label");
    if (label) td.title = result(td) + " · " + names[td.cellIndex - 1] + ": " + label;
  });
  document.addEventListener("click", (event) => {
    const td = cell(event);
    if (!td || td.classList.contains("none") || event.target.closest("a")) return;
    const profile = $$(".profile")[td.cellIndex - 1];
    location.hash = result(td) + profile.id.slice(1);
  });

  const step = (by) => {
    const remarks = cases.filter((one) => !one.hidden && one.classList.contains("remark"));
    const now = document.activeElement.closest(".case");
    const top = (one) => one.getBoundingClientRect().top;
    let at = remarks.indexOf(now);
    if (at >= 0) at += by;
    else if (by > 0) at = remarks.findIndex((one) => top(one) > 0);
    else at = remarks.findLastIndex((one) => top(one) < 0);
    const next = remarks[at];
    if (next) {
      next.focus({ preventScroll: true });
      next.scrollIntoView();
    }
  };

  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
      event.preventDefault();
      q.focus();
    } else if (event.key === "j" || event.key === "k") {
      step(event.key === "j" ? 1 : -1);
    } else if (event.key === "Enter" && event.target.classList.contains("case")) {
      const all = $$(":scope > details", event.target);
      const open = !all.some((details) => details.open);
      all.forEach((details) => {
        details.open = open;
      });
    }
  });

  let waiting;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 80);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.open.addEventListener("click", () => fold(true));
  form.elements.shut.addEventListener("click", () => fold(false));
  form.hidden = false;
  reveal();
})();
