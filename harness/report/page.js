"use strict";
(() => {
  const root = document.documentElement, all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // What a cell says before its interval and kind; "" where that is absent.
  const ABSENT = "\u2014";
  const main = (cell) => {
    if (!cell || cell.classList.contains("cannot")) return "";
    const first = (cell.querySelector("button") || cell).firstChild, words = first ? first.textContent.trim() : "";
    return words === ABSENT ? "" : words;
  };

  // Sorting, by what is shown. An absent figure sorts last in either direction: it is neither high nor low.
  const number = (words) => Number(words.replace(/,|\u00a0%$/g, ""));
  const compare = (a, b) => {
    const x = number(a), y = number(b);
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
  };
  const sort = (table, column) => {
    const heads = [...table.tHead.rows[0].cells];
    const up = heads[column].getAttribute("aria-sort") !== "ascending";
    const rows = [...table.tBodies[0].rows].map((row) => [main(row.cells[column]), row]);
    const here = rows.filter(([v]) => v !== ""), absent = rows.filter(([v]) => v === "");
    here.sort(([a], [b]) => (up ? compare(a, b) : compare(b, a)));
    table.tBodies[0].append(...[...here, ...absent].map(([, row]) => row));
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", up ? "ascending" : "descending");
  };
  const tables = all("table").map((table) => {
    const rows = [...table.tBodies[0].rows], tools = document.querySelector(`[data-for="${table.id}"]`);
    rows.forEach((row) => (row.words = row.textContent.toLowerCase()));
    if (rows.length > 2) all("th", table.tHead).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, column));
      head.append(button);
    });
    return { table, rows, tools };
  });

  // Filtering and picking: a row shows if its words, its kinds and what it speaks of are all wanted.
  const boxes = all("#picker input"), hidden = new Set();
  const picked = (element) => {
    const tokens = element.dataset.of ? element.dataset.of.split(" ") : [];
    return tokens.every((one) => tokens.some((other) => other[0] === one[0] && !hidden.has(other)));
  };
  const show = ({ rows, tools }) => {
    const words = tools ? tools.querySelector("input").value.trim().toLowerCase().split(/\s+/) : [];
    const kind = (tools && tools.querySelector("select") || {}).value || "";
    rows.forEach((row) => {
      const kinds = (row.dataset.kinds || "").split(" ");
      row.hidden = !(words.every((w) => row.words.includes(w)) && (!kind || kinds.includes(kind)) && picked(row));
    });
    if (!tools) return;
    const shown = rows.filter((row) => !row.hidden).length, whole = shown === rows.length;
    const text = whole ? `${rows.length} rows` : `${shown} of ${rows.length} rows`;
    if (tools.lastElementChild.textContent !== text) tools.lastElementChild.textContent = text;
  };
  const clear = ({ table, rows, tools }) => {
    all("input, select", tools).forEach((field) => (field.value = ""));
    table.tBodies[0].append(...rows);
    all("[aria-sort]", table).forEach((head) => head.removeAttribute("aria-sort"));
  };
  tables.filter(({ tools }) => tools).forEach((entry) => {
    entry.tools.hidden = false;
    entry.tools.addEventListener("input", () => show(entry));
    entry.tools.querySelector("button").addEventListener("click", () => { clear(entry); show(entry); });
  });

  // A chart with more series than colours: where few of its grey ones are picked, these show their own look, and their
  // names one below the other, all of which stand in the place of the first.
  const crowds = all("svg.chart").filter((chart) => chart.querySelector(".few")), MOST = 12;
  const stroke = (series) => getComputedStyle(series.querySelector("use")).stroke;
  crowds.forEach((chart) => {
    chart.palette = [...new Set(all("[data-of]:not(.crowd)", chart).filter((one) => one.querySelector("use")).map(stroke))];
  });
  const colour = (chart) => {
    const few = all(".few", chart).filter(picked), order = [...new Set(few.map((series) => series.dataset.of))];
    const keys = few.filter((series) => series.classList.contains("key"));
    const step = 4 + Math.max(0, ...keys.map((key) => key.getBBox().height));
    keys.forEach((key) => key.setAttribute("transform", `translate(0 ${order.indexOf(key.dataset.of) * step})`));
    chart.classList.toggle("picked", hidden.size > 0 && order.length <= MOST);
    // Each takes the colour that fewest of those shown have; its marker is its own.
    const lines = all("[data-of]:not(.few, .crowd, .away)", chart).filter((series) => series.querySelector("use"));
    const worn = lines.map(stroke), times = (one) => worn.filter((other) => other === one).length;
    order.forEach((token) => {
      const least = chart.palette.reduce((a, b) => (times(b) < times(a) ? b : a));
      worn.push(least);
      few.filter((series) => series.dataset.of === token).forEach((series) => series.style.setProperty("--own", least));
    });
  };

  // The choice stands in the address, after the anchor: #compare?hide=s2.s5
  const parts = () => decodeURIComponent(location.hash.slice(1)).split("?hide=");
  const apply = () => {
    boxes.forEach((box) => (box.checked = !hidden.has(box.value)));
    tables.forEach(show);
    all("svg [data-of]").forEach((series) => series.classList.toggle("away", !picked(series)));
    crowds.forEach(colour);
    const out = document.getElementById("picked"), shown = boxes.filter((box) => box.checked).length;
    if (out) out.textContent = hidden.size ? `${shown} of ${boxes.length} shown` : `all ${boxes.length} shown`;
  };
  const keep = () => {
    const choice = hidden.size ? `?hide=${[...hidden].sort().join(".")}` : "";
    const hash = parts()[0] + choice;
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  };
  const pick = (change) => { change(); apply(); keep(); };
  boxes.forEach((box) => box.addEventListener("change", () =>
    pick(() => (box.checked ? hidden.delete(box.value) : hidden.add(box.value)))));
  all("[data-all], [data-none]").forEach((button) => button.addEventListener("click", () => pick(() =>
    boxes.filter((box) => box.value[0] === (button.dataset.all || button.dataset.none))
      .forEach((box) => (button.dataset.all ? hidden.delete(box.value) : hidden.add(box.value))))));
  all("#reset").forEach((button) => button.addEventListener("click", () => {
    tables.filter(({ tools }) => tools).forEach(clear);
    pick(() => hidden.clear());
  }));

  // A link to a folded table opens it; one that says nothing of the choice keeps it.
  const follow = () => {
    const [anchor, choice] = parts();
    if (choice !== undefined) {
      hidden.clear();
      choice.split(".").filter((token) => boxes.some((box) => box.value === token)).forEach((token) => hidden.add(token));
    }
    apply();
    keep();
    const target = anchor && document.getElementById(anchor), folded = target && target.closest("details");
    if (folded) folded.open = true;
    if (target && (folded || choice !== undefined)) target.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  all("#picker").forEach((picker) => (picker.hidden = false));
  follow();

  // All that is known of a figure, in a box beside it. A table is one stop of Tab; arrow keys go from figure to figure.
  const tip = document.getElementById("tip"), { autoUpdate, computePosition, flip, offset, shift, size } = FloatingUIDOM;
  let owner = null, pinned = false, release = null;
  const line = (words, tag = "p") => Object.assign(document.createElement(tag), { textContent: words });
  const source = (number) => {
    const row = document.getElementById(`source-${number}`), at = line(`Source ${number}: `);
    const link = row && row.querySelector("a[href^=http]");
    at.append(link ? link.cloneNode(true) : row ? row.cells[2].textContent.trim() : "not described");
    return at;
  };
  const remarks = JSON.parse(document.getElementById("remarks").textContent);
  const list = (words) => (words || "").split(" ").filter(Boolean);
  const sources = (cell) => "from" in cell.dataset ? cell.dataset.from
    : cell.previousElementSibling ? sources(cell.previousElementSibling) : "";  // those of the figure before
  const facts = (cell, unit) => {
    const { about, figure, unit: own, span = "p10\u2013p90", n } = cell.dataset, said = [];
    const [interval, kind] = ["small", "em"].map((tag) => cell.querySelector(tag));
    if (figure !== undefined) {
      const words = main(cell), of = own === undefined ? unit && !words.endsWith("%") && unit.textContent : own;
      said.push([words, of, kind && `(${kind.textContent})`].filter(Boolean).join(" "));
    }
    if (interval) said.push(`${span}: ${interval.textContent}`);
    if (n) said.push(`n = ${n}`);
    return said.concat(list(about).map((place) => remarks[place]));
  };
  const close = () => {
    if (!owner) return;
    owner.removeAttribute("aria-describedby");
    if (tip.contains(document.activeElement)) owner.focus();
    release();
    tip.hidePopover();
    owner = null;
    pinned = false;
  };
  const open = (button) => {
    if (owner === button) return;
    close();
    const cell = button.parentElement, row = cell.parentElement;
    const head = row.closest("table").tHead.rows[0].cells[cell.cellIndex].querySelector(".name");
    const of = cell.cellIndex ? [main(row.cells[0])] : [];
    tip.replaceChildren(line([head.textContent, ...of].join(" · "), "strong"));
    tip.append(...facts(cell, head.nextSibling).map((words) => line(words)), ...list(sources(cell)).map(source));
    button.after(tip);  // in the order of Tab: its links come next
    button.setAttribute("aria-describedby", "tip");
    tip.showPopover();
    owner = button;
    const fit = ({ availableHeight }) => (tip.style.maxHeight = `${Math.max(100, availableHeight)}px`);
    const middleware = [offset(6), flip({ padding: 8 }), shift({ padding: 8 }), size({ padding: 8, apply: fit })];
    release = autoUpdate(button, tip, () =>
      computePosition(button, tip, { strategy: "fixed", placement: "bottom-start", middleware }).then(({ x, y }) =>
        Object.assign(tip.style, { left: `${x}px`, top: `${y}px` })));
  };
  const figures = (table) => all("button.figure", table).filter((button) => !button.closest("tr").hidden);
  const stop = (table, button) => {
    all("button.figure[tabindex='0']", table).forEach((other) => (other.tabIndex = -1));
    button.tabIndex = 0;
  };
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const go = (event) => {
    const step = steps[event.key], button = event.target.closest("button.figure");
    if (!step || !button) return;
    event.preventDefault();
    const cell = button.parentElement, rows = [...cell.closest("tbody").rows].filter((row) => !row.hidden);
    let y = rows.indexOf(cell.parentElement), x = cell.cellIndex, found = null;
    do {
      [y, x] = [y + step[0], x + step[1]];
      found = rows[y] && rows[y].cells[x] && rows[y].cells[x].querySelector("button.figure");
    } while (!found && rows[y] && rows[y].cells[x]);
    if (found) found.focus();
  };
  for (const { table } of tables) {
    for (const cell of all("[data-about]", table)) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "figure";
      button.tabIndex = -1;
      button.append(...cell.childNodes);
      cell.append(button);
    }
    const first = table.querySelector("button.figure");
    if (first) first.tabIndex = 0;
    table.addEventListener("keydown", go);
    // Tab must find the table even where a filter hides its stop.
    table.closest(".scroll").addEventListener("focus", () => {
      const shown = figures(table);
      if (shown.length && !shown.some((button) => button.tabIndex === 0)) stop(table, shown[0]);
    });
  }
  const figureAt = (event) => event.target.closest && event.target.closest("button.figure");
  document.addEventListener("focusin", (event) => {
    const button = figureAt(event);
    if (button) { stop(button.closest("table"), button); open(button); }
    else if (owner && !tip.contains(event.target)) close();
  });
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse" || pinned) return;
    const button = figureAt(event);
    if (button) open(button);
    else if (owner && !tip.contains(event.target) && owner !== document.activeElement) close();
  });
  document.addEventListener("click", (event) => {
    const button = figureAt(event);
    if (button) { open(button); pinned = true; }
    else if (!tip.contains(event.target)) close();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

  // Colours: the system's unless chosen; the choice lasts for the visit where the browser lets it.
  const theme = document.getElementById("theme");
  const paint = (name) => { if (name) root.dataset.theme = name; else delete root.dataset.theme; theme.value = name; };
  const remembered = (name) => {
    try { return name === undefined ? sessionStorage.getItem("theme") || "" : sessionStorage.setItem("theme", name); }
    catch { return ""; }
  };
  theme.closest("label").hidden = false;
  paint(remembered());
  theme.addEventListener("change", () => { paint(theme.value); remembered(theme.value); });

  // Paper has nothing to click: what is folded is opened for it, and heads are set without their buttons, with which
  // Chromium does not repeat them on every sheet.
  const buttons = all("thead button").map((button) => [button, button.parentElement]);
  let opened = [];
  addEventListener("beforeprint", () => {
    close();
    opened = all("details:not([open], .picker)");
    opened.forEach((folded) => (folded.open = true));
    buttons.forEach(([button]) => button.replaceWith(...button.childNodes));
  });
  addEventListener("afterprint", () => {
    opened.forEach((folded) => (folded.open = false));
    buttons.forEach(([button, head]) => { button.append(...head.childNodes); head.append(button); });
  });
  root.dataset.ready = "yes";
})();
