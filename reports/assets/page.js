"use strict";
(() => {
  const form = document.querySelector(".filter");
  if (!form) return;
  const rows = [...document.querySelectorAll(".matrix tbody tr")];
  const cases = [...document.querySelectorAll(".case")];
  const groups = [...document.querySelectorAll(".group")];
  const chapters = [...document.querySelectorAll(".chapter")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const { q, v, n } = form.elements;

  // A case is a row of the matrix and an article below; both lists have the same order.
  const filter = () => {
    const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = v.value;
    let shown = 0;
    rows.forEach((row, at) => {
      const wanted =
        words.every((word) => texts[at].includes(word)) &&
        (!kind ||
          (kind === "remark"
            ? row.classList.contains("remark")
            : row.querySelector("td>a>." + kind) !== null));
      row.hidden = cases[at].hidden = !wanted;
      if (wanted) shown += 1;
    });
    const filtering = words.length > 0 || kind !== "";
    groups.forEach((group, at) => {
      const some = group.querySelector("tbody tr:not([hidden])") !== null;
      group.hidden = chapters[at].hidden = !some;
      if (filtering) group.open = some;
    });
    n.value = filtering ? shown + " of " + rows.length + " cases" : "";
  };

  const fold = (open) => {
    groups.forEach((group) => {
      group.open = open;
    });
  };

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.open.addEventListener("click", () => fold(true));
  form.elements.shut.addEventListener("click", () => fold(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      q.focus();
    }
  });

  // Following a link to a result unfolds it, also where the browser would not.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target && target.closest("details");
    if (details && !details.open) {
      details.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  reveal();
  form.hidden = false;
  filter();
})();
