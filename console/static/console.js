// What the pages gain from a script: keys, copying, refreshing. Everything works without it.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const tell = (text) => { document.getElementById("told").textContent = text; };

// Buttons that only a script can serve are hidden until there is one.
function prepare(within) {
  for (const button of all("[data-copy], .finder", within)) button.hidden = false;
  for (const input of all("input[data-show]", within)) {
    if (input.parentElement.matches(".shown")) continue;
    const row = document.createElement("div"), button = document.createElement("button");
    row.className = "shown";
    Object.assign(button, { type: "button", className: "outline secondary small", textContent: "Show" });
    button.setAttribute("aria-label", "Show the password");
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const hidden = input.type === "password";
      input.type = hidden ? "text" : "password";
      button.textContent = hidden ? "Hide" : "Show";
      button.setAttribute("aria-pressed", String(hidden));
    });
    input.replaceWith(row);
    row.append(input, button);
  }
}

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const source = document.getElementById(copy.dataset.copy);
    try {
      await navigator.clipboard.writeText("value" in source ? source.value : source.textContent);
      tell("Copied.");
      const word = copy.textContent;
      copy.textContent = "Copied ✓";
      setTimeout(() => { copy.textContent = word; }, 1500);
    } catch { tell("This browser does not let a page copy. Select the text instead."); }
  }
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.dialog).showModal();
  }
  // A menu closes when something else is clicked.
  for (const menu of all("details.drop[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// The theme that the button leads to depends on what the browser prefers; the server cannot know that.
for (const button of all("[data-theme-switch]")) {
  const chosen = document.documentElement.dataset.theme;
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  button.value = dark ? "light" : "dark";
  button.setAttribute("aria-label", `Switch to the ${button.value} theme`);
}

// Keys
let before = "";
document.addEventListener("keydown", (event) => {
  const at = event.target;
  if (event.key === "Escape") {
    for (const menu of all("details.drop[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
    document.querySelector("[data-close]")?.click();
    return;
  }
  if (!("shortcuts" in document.body.dataset) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (at.isContentEditable || at.matches("input:not([type=checkbox], [type=radio]), textarea, select")) return;
  if (document.querySelector("dialog[open]")) return;
  const goto = before === "g" && document.querySelector(`[data-goto="${CSS.escape(event.key)}"]`);
  before = event.key;
  if (goto) return goto.click();
  if (event.key === "j" || event.key === "k") return step(event.key === "j" ? 1 : -1);
  const served = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!served) return;
  event.preventDefault();
  if (served.matches("input, select")) { served.focus(); served.select?.(); } else served.click();
});

function step(by) {
  const within = document.activeElement.closest("#beside") ?? document.querySelector("main");
  const rows = all("[data-row]", within).filter((row) => row.offsetParent);
  const now = rows.indexOf(document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, now < 0 ? 0 : now + by))]?.focus();
}

// Finding in a body: every place is marked, what hides the one that is looked at is unfolded, Enter goes on.
function find(box, by) {
  const told = box.parentElement.querySelector("output"), places = [];
  const words = new RegExp(box.value.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "giu");
  const texts = document.createTreeWalker(document.getElementById(box.dataset.find), NodeFilter.SHOW_TEXT);
  while (box.value && texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.closest(".count, .long > summary")) continue;
    for (const found of text.data.matchAll(words)) {
      places.push(new Range());
      places.at(-1).setStart(text, found.index);
      places.at(-1).setEnd(text, found.index + found[0].length);
    }
  }
  const at = by && places.length ? (Number(box.dataset.at) + by + places.length) % places.length : 0, place = places[at];
  box.dataset.at = at;
  told.textContent = place ? `${at + 1} of ${places.length}` : box.value && "not there";
  // A browser that cannot mark goes there all the same.
  globalThis.Highlight && CSS.highlights.set("found", new Highlight(...places));
  globalThis.Highlight && CSS.highlights.set("found-now", new Highlight(...(place ? [place] : [])));
  if (!place) return;
  const holder = place.startContainer.parentElement, pane = holder.closest(".json, .raw");
  for (let fold = holder.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  pane.scrollTop += place.getBoundingClientRect().top - pane.getBoundingClientRect().top - pane.clientHeight / 2;
  pane.scrollIntoView({ block: "nearest" });
}
document.addEventListener("input", (event) => { if (event.target.matches("[data-find]")) find(event.target, 0); });
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-find]")) find(event.target, event.shiftKey ? -1 : 1);
});

// A request opens beside the list where there is room for both. The address is that of its own page, which is where
// loading it anew, sharing it, and whatever goes wrong lead.
const beside = document.getElementById("beside");
let list = "";
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-beside]");
  if (!link || innerWidth < 1100 || document.querySelector("main #request")) return;
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  try {
    const answer = await fetch(link.href, { signal: AbortSignal.timeout(10000) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const request = page.getElementById("request");
    beside.lastElementChild.replaceChildren(document.adoptNode(request));
    if (beside.hidden) list = location.pathname + location.search;
    history[beside.hidden ? "pushState" : "replaceState"](null, "", link.href);
    beside.querySelector("[data-page]").href = link.href;
    beside.hidden = false;
    beside.scrollTop = 0;
    beside.focus();
    htmx.process(request);
    prepare(request);
    mark();
  } catch { location.href = link.href; }
});
function mark() {
  for (const link of all("main a[data-beside]")) {
    if (!beside.hidden && link.href === location.href) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
beside?.querySelector("[data-close]").addEventListener("click", () => { if (!beside.hidden) history.back(); });
addEventListener("popstate", () => {
  const path = location.pathname + location.search, opened = beside?.querySelector("[data-page]").href;
  if (!list || (!beside.hidden && location.href.startsWith(opened))) return;
  if (path !== list) return location.reload();
  const link = document.querySelector("main a[data-beside][aria-current]");
  beside.hidden = true;
  beside.lastElementChild.replaceChildren();
  mark();
  link?.focus();
});

// Refreshing: a part asks for its page anew, unless somebody reads in it: by keyboard, with text selected or a row open.
// What has an id keeps the focus in what comes. A question that nobody answers is ended by htmx's time-out.
const updated = new Map(), asked = new Map();
function read(part) {
  const selection = getSelection();
  return (!selection.isCollapsed && selection.containsNode(part, true))
    || part.querySelector(":focus-visible:not([id]), details[open]:not([data-stays])") !== null;
}
setInterval(() => {
  for (const line of all("[data-live-line]")) {
    const part = document.getElementById(line.dataset.liveLine), live = part !== null && "live" in part.dataset;
    line.hidden = !live;
    if (!live) continue;
    const now = Date.now(), reading = read(part);
    if (!updated.has(part.id)) updated.set(part.id, now);
    const age = Math.round((now - updated.get(part.id)) / 1000);
    line.classList.toggle("late", age >= 30);
    line.querySelector("[data-live-age]").textContent = `${age} s`;
    line.querySelector("[data-live-paused]").hidden = !reading;
    const rested = now - Math.max(updated.get(part.id), asked.get(part.id) ?? 0);
    if (reading || document.hidden || rested < 1000 * part.dataset.live || part.matches(".htmx-request")) continue;
    asked.set(part.id, now);
    htmx.trigger(part, "refresh");
  }
}, 1000);

const offline = (is) => { document.getElementById("offline").hidden = !is; };
document.addEventListener("htmx:sendError", () => offline(true));
document.addEventListener("htmx:timeout", () => offline(true));
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  offline(status < 400 || status >= 500);
});
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) offline(false); });
// What answers may be another's page, for instance a proxy's; in its place there would be nothing to ask again.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, serverResponse, xhr } = event.detail;
  if (xhr.status !== 200 || serverResponse.includes(`id="${target.id}"`)) return;
  Object.assign(event.detail, { shouldSwap: false, isError: true });
});
document.addEventListener("htmx:afterSwap", (event) => {
  const part = document.getElementById(event.detail.target.id);
  if (!part) return;
  const had = Number(event.detail.target.dataset.count), has = Number(part.dataset.count);
  if (has > had) tell(`${has - had} new`);
  mark();
  updated.set(part.id, Date.now());
  prepare(part);
});

prepare(document);
document.querySelector("[data-focus]")?.focus();
