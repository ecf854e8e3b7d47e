// What a script adds to every page of the admin; list.js and form.js add what is theirs. Every page works without:
// scripts read data attributes of the markup that the server sends, and ask for no other pages than a person would.
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];
export const one = (selector, root = document) => root.querySelector(selector);

/** A new element with properties and children. Text stays text: nothing is parsed as HTML. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made && key !== "role") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export const icon = (name) => element("span", { className: `icon icon-${name}`, "aria-hidden": "true" });

/** Says something to those who cannot see that it changed. */
export function announce(text) {
  const announcer = one("[data-announcer]");
  if (announcer) announcer.textContent = text;
}

/** Fetches one of our pages. Null if it is not one: whoever asked then goes there by an ordinary way. */
export async function fetchPage(url, signal) {
  const response = await fetch(url, { signal, headers: { Accept: "text/html" } });
  // A session that is over answers with the way to the sign-in page.
  const elsewhere = new URL(response.url).pathname !== new URL(url, location.href).pathname;
  if (!response.ok || elsewhere) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// --- One submission -------------------------------------------------------------------------------------------

/** Forms that have been sent and whose answer is not there yet. */
export const leaving = new WeakSet();

/** A second click on a button sends nothing again. */
function onSubmit(event) {
  const form = event.target;
  if (form.matches("form[data-theme-form]")) return onTheme(event);
  if (event.defaultPrevented || form.method !== "post") return;
  if (leaving.has(form)) return event.preventDefault();
  leaving.add(form);
  const buttons = all("button:not([type=button])", form);
  buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
  // An answer that is a download leaves this page as it is.
  setTimeout(() => release(form), 8000);
}

function release(form) {
  leaving.delete(form);
  all("[aria-disabled]", form).forEach((button) => button.removeAttribute("aria-disabled"));
}

// Back from the next page, out of the browser's memory.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) all("form").forEach(release);
});

// --- The palette ------------------------------------------------------------------------------------------

const palette = { dialog: one("dialog[data-palette]"), timer: 0, running: null, found: [] };

const paletteWords = () => one("input", palette.dialog).value.toLowerCase().split(/\s+/).filter(Boolean);

/** Whether an entry has every word that was typed. */
function fitsPalette(entry) {
  return paletteWords().every((word) => `${entry.text} ${entry.detail}`.toLowerCase().includes(word));
}

/** What is at hand: the navigation's pages, and the menu of who is signed in. Buttons do what they do there. */
function pagesAtHand() {
  return all("[data-nav] a, #user-menu a, #user-menu button").map((link) => ({
    href: link.href,
    text: link.textContent.trim(),
    detail: "",
    icon: one(".icon", link)?.cloneNode(),
    press: link.href ? null : () => link.click(),
  }));
}

/** What the search page found: its sections, each with a heading and links. */
function paletteFound(page) {
  return all("#results section", page).map((section) => ({
    title: one("h2", section)?.textContent ?? "",
    isPages: "pages" in section.dataset,
    isLists: "lists" in section.dataset,
    entries: all("a[href]", section).map((link) => ({
      href: new URL(link.getAttribute("href"), location.href).href,
      text: link.textContent.trim(),
      detail: one("small", link.closest("li"))?.textContent ?? "",
    })),
  }));
}

/** Shows the pages at hand and what was found. `waits`: whether an answer is still to come. */
function showPalette(found, waits) {
  const atHand = pagesAtHand().filter(fitsPalette);
  const known = new Set(atHand.map((entry) => entry.href));
  const others = found.filter((group) => group.isPages).flatMap((group) => group.entries);
  const pages = { title: "Pages", entries: [...atHand, ...others.filter((entry) => !known.has(entry.href))] };
  const rows = found.filter((group) => !group.isPages && !group.isLists && group.entries.length);
  const lists = found.filter((group) => group.isLists && group.entries.length);
  const list = one('[role="listbox"]', palette.dialog);
  const before = one('[aria-selected="true"]', palette.dialog)?.href;
  const groups = pages.entries.length ? [pages, ...rows] : rows;
  const nothing = element("p", { className: "empty", role: "presentation" }, waits ? "Searching…" : "Nothing found.");
  list.replaceChildren(...(groups.length ? [] : [nothing]), ...[...groups, ...lists].map(paletteGroup));
  all('[role="option"]', list).forEach((option, index) => (option.id = `palette-${index}`));
  selectOption(Math.max(0, all('[role="option"]', list).findIndex((option) => option.href && option.href === before)));
  return groups.length > 0;
}

function paletteGroup({ title, entries }) {
  const options = entries.map((entry) => {
    const option = element("a", { role: "option", tabIndex: -1, "aria-selected": "false" });
    if (entry.press) option.addEventListener("click", entry.press);
    else option.href = entry.href;
    const detail = entry.detail ? [element("small", { className: "soft" }, entry.detail)] : [];
    option.append(...(entry.icon ? [entry.icon] : []), entry.text, ...detail);
    return option;
  });
  return element("div", { role: "group", "aria-label": title }, element("span", { role: "presentation" }, title), ...options);
}

function selectOption(to, move = false) {
  const options = all('[role="option"]', palette.dialog);
  const input = one("input", palette.dialog);
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const next = options.length ? (move ? (at + to + options.length) % options.length : to) : -1;
  options.forEach((option, index) => option.setAttribute("aria-selected", String(index === next)));
  if (next < 0) return input.removeAttribute("aria-activedescendant");
  input.setAttribute("aria-activedescendant", options[next].id);
  options[next].scrollIntoView({ block: "nearest" });
}

/** At once, what is at hand, and of the last answer what still fits: Enter must not take the unfitting. */
function filterPalette() {
  const isSearch = paletteWords().length > 0;
  const found = isSearch ? palette.found : [];
  showPalette(found.map((group) => ({ ...group, entries: group.entries.filter(fitsPalette) })), isSearch);
}

async function searchPalette() {
  palette.running?.abort();
  const words = paletteWords();
  if (!words.length) return;
  palette.running = new AbortController();
  try {
    const url = `${palette.dialog.dataset.palette}?${new URLSearchParams({ q: words.join(" ") })}`;
    const page = await fetchPage(url, palette.running.signal);
    palette.found = page ? paletteFound(page) : [];
  } catch (error) {
    if (error.name === "AbortError") return;
    // Without an answer, the pages at hand remain.
    palette.found = [];
  }
  const isAny = showPalette(palette.found, false);
  announce(isAny ? `${all('[role="option"]', palette.dialog).length} results` : "Nothing found.");
}

function openPalette() {
  if (!palette.dialog || palette.dialog.open) return;
  one("input", palette.dialog).value = "";
  palette.dialog.showModal();
  filterPalette();
}

palette.dialog?.addEventListener("input", () => {
  filterPalette();
  clearTimeout(palette.timer);
  palette.timer = setTimeout(searchPalette, 150);
});
palette.dialog?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    selectOption(step, true);
  } else if (event.key === "Escape") {
    // A search box would only empty itself.
    event.preventDefault();
    palette.dialog.close();
  } else if (event.key === "Enter" && event.target.matches("input")) {
    const option = one('[aria-selected="true"]', palette.dialog);
    if (!option) return;
    event.preventDefault();
    option.click();
  }
});

// --- Theme ---------------------------------------------------------------------------------------------------

function onTheme(event) {
  const theme = event.submitter?.value;
  if (!theme) return;
  event.preventDefault();
  const form = event.target;
  document.documentElement.dataset.theme = theme;
  all("button", form).forEach((button) => button.setAttribute("aria-pressed", String(button.value === theme)));
  const body = new URLSearchParams(new FormData(form, event.submitter));
  // It is shown already; if it cannot be kept, the next page tells.
  fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
}

// --- Progress of a long task ----------------------------------------------------------------------------------

/** Asks for the page again until its element no longer wants to be asked for. */
async function followProgress(shown, failures = 0) {
  await new Promise((resume) => setTimeout(resume, failures ? 2000 : 500));
  try {
    const page = await fetchPage(shown.dataset.progress);
    const fresh = page?.getElementById(shown.id);
    if (!fresh) return location.reload();
    shown.replaceWith(fresh);
    if (fresh.dataset.progress) followProgress(fresh);
    else announce(fresh.textContent.trim());
  } catch {
    followProgress(shown, failures + 1);
  }
}

// --- Keys ------------------------------------------------------------------------------------------------------

const SINGLE_KEYS = "gatepost-single-keys";
// WCAG 2.1.4: who dictates or strays onto keys can switch single ones off.
const singleKeys = () => localStorage.getItem(SINGLE_KEYS) !== "off";

function onKey(event) {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    const form = key === "s" ? one("form[data-guard]") : null;
    if (key === "k") openPalette();
    else if (form && !one("dialog[open]")) form.requestSubmit(one("button.primary", form));
    else return;
    return event.preventDefault();
  }
  const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]") || !singleKeys()) return;
  const search = key === "/" ? one("[data-search]") : null;
  if (search) search.select();
  else if (key === "/") openPalette();
  else if (key === "?") one("dialog#shortcuts")?.showModal();
  else return;
  event.preventDefault();
}

// --- What happens when ------------------------------------------------------------------------------------------

function onClick(event) {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
  // A click on the backdrop is a click on the dialog itself.
  if (event.target.closest("[data-close]") || event.target.matches("dialog")) event.target.closest("dialog")?.close();
  const link = event.target.closest("a[data-palette-open]");
  if (link && palette.dialog && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openPalette();
  }
}

all("[data-progress]").forEach((shown) => followProgress(shown));
for (const box of all("[data-single-keys]")) {
  box.checked = singleKeys();
  box.addEventListener("change", () => localStorage.setItem(SINGLE_KEYS, box.checked ? "on" : "off"));
}
document.addEventListener("click", onClick);
document.addEventListener("submit", onSubmit);
document.addEventListener("keydown", onKey);
