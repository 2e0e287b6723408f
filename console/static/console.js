// What the pages gain from a script: keys, copying, refreshing. Everything works without it.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const tell = (text) => { document.getElementById("told").textContent = text; };

// Buttons that only a script can serve are hidden until there is one.
function prepare(within) {
  for (const button of all("[data-copy]", within)) button.hidden = false;
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
  const rows = all("[data-row]").filter((row) => row.offsetParent);
  const now = rows.indexOf(document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, now < 0 ? 0 : now + by))]?.focus();
}

// Refreshing: a part asks for its page anew, unless somebody is reading in it.
const updated = new Map();
function busy(part) {
  const selection = getSelection();
  return document.hidden || (selection && !selection.isCollapsed) || part.contains(document.activeElement)
    || part.querySelector("details[open]:not([data-stays])") !== null;
}
setInterval(() => {
  for (const part of all("[data-live]")) {
    const since = updated.get(part.id) ?? Date.now(), age = Math.round((Date.now() - since) / 1000);
    if (!updated.has(part.id)) updated.set(part.id, since);
    const line = document.querySelector(`[data-live-line="${CSS.escape(part.id)}"]`);
    if (line) {
      line.hidden = false;
      line.classList.toggle("late", age >= 30);
      line.querySelector("[data-live-age]").textContent = `${age} s`;
    }
    if (age >= Number(part.dataset.live) && !busy(part)) htmx.trigger(part, "refresh");
  }
}, 1000);

const offline = (is) => { document.getElementById("offline").hidden = !is; };
document.addEventListener("htmx:sendError", () => offline(true));
document.addEventListener("htmx:responseError", (event) => offline(event.detail.xhr.status >= 500));
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) offline(false); });
document.addEventListener("htmx:afterSwap", (event) => {
  const part = document.getElementById(event.detail.target.id);
  if (!part) return;
  const had = Number(event.detail.target.dataset.count), has = Number(part.dataset.count);
  if (has > had) tell(`${has - had} new`);
  updated.set(part.id, Date.now());
  prepare(part);
});

prepare(document);
document.querySelector("[data-focus]")?.focus();
