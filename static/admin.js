// What a script adds to the admin's pages. Every page works without it: it reads data attributes of the
// markup that the server sends, and asks for no other pages than a person would.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);

/** A new element with properties and children. Text stays text: nothing is parsed as HTML. */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made && key !== "role") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const icon = (name) => element("span", { className: `icon icon-${name}`, "aria-hidden": "true" });

/** Says something to those who cannot see that it changed. */
function announce(text) {
  const announcer = one("[data-announcer]");
  if (announcer) announcer.textContent = text;
}

/** Fetches one of our pages. Null if it is not one: whoever asked then goes there by an ordinary way. */
async function fetchPage(url, signal) {
  const response = await fetch(url, { signal, headers: { Accept: "text/html" } });
  // A session that is over answers with the way to the sign-in page.
  const elsewhere = new URL(response.url).pathname !== new URL(url, location.href).pathname;
  if (!response.ok || elsewhere) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// --- Tables: cards on narrow screens name their values; where columns hardly fit, words break ----------

function labelCells(root) {
  for (const table of all("table.cards", root)) {
    const names = all("thead th", table).map((head) => (one(".sort > a", head) ?? head).firstChild?.textContent.trim());
    for (const row of table.tBodies[0]?.rows ?? []) {
      [...row.cells].forEach((cell, index) => {
        if (cell.tagName === "TD" && names[index]) cell.dataset.label = names[index];
      });
    }
    table.classList.add("labelled");
  }
}

function fitTables() {
  for (const table of all("table.table")) {
    table.classList.remove("crowded");
    table.classList.toggle("crowded", table.offsetWidth > table.parentElement.clientWidth);
  }
}

window.addEventListener("resize", fitTables);

// --- Live lists ---------------------------------------------------------------------------------------

const live = { running: null, timer: 0 };

/** The address that the form would lead to, without its empty fields. */
function formAddress(form) {
  const address = new URL(form.action, location.href);
  const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string" && value !== "");
  address.search = new URLSearchParams(fields).toString();
  return address.href;
}

/** Where the focus is within a region, so that it can be put back once the region is another. */
function focusMark(region) {
  const focused = document.activeElement;
  if (!region.contains(focused)) return null;
  const like = (within) => all("a, button, input, select", within).filter((other) => other.textContent === focused.textContent);
  const nth = like(region).indexOf(focused);
  return (fresh) => (focused.id && fresh.querySelector(`#${CSS.escape(focused.id)}`)) || like(fresh)[nth] || null;
}

/** Replaces the live regions by those of another page. The search box is outside them and keeps its caret. */
function showRegions(page) {
  for (const region of all("[data-live-region]")) {
    const fresh = page.getElementById(region.id);
    if (!fresh) continue;
    const refocus = focusMark(region);
    region.replaceWith(fresh);
    refocus?.(fresh)?.focus({ preventScroll: true });
  }
  document.title = page.title;
  enhance(document);
  announce(one("[data-result-count]")?.textContent ?? "");
}

/** Shows an address in the list. `history`: `push`, `replace`, or none if the browser is there already. */
async function showList(url, history) {
  clearTimeout(live.timer);
  live.running?.abort();
  const running = (live.running = new AbortController());
  all("[data-live-region]").forEach((region) => region.setAttribute("aria-busy", "true"));
  try {
    const page = await fetchPage(url, running.signal);
    if (!page) return location.assign(url);
    // Before the regions: relative links in them start from the new address.
    if (history) window.history[`${history}State`]({ live: true }, "", url);
    showRegions(page);
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url);
  } finally {
    if (live.running === running) {
      live.running = null;
      all("[data-live-region]").forEach((region) => region.removeAttribute("aria-busy"));
    }
  }
}

function onListInput(form, delay) {
  clearTimeout(live.timer);
  live.timer = setTimeout(() => showList(formAddress(form), "replace"), delay);
}

function onListClick(event) {
  const link = event.target.closest("[data-live-region] a[href]");
  if (!link || !one("form[data-live]") || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const address = new URL(link.href);
  if (address.origin !== location.origin || address.pathname !== location.pathname) return;
  event.preventDefault();
  showList(address.href, "push");
}

window.addEventListener("popstate", () => {
  const form = one("form[data-live]");
  if (!form) return;
  const parameters = new URLSearchParams(location.search);
  for (const field of form.elements) {
    if (field.name && !field.closest("[data-live-region]")) field.value = parameters.get(field.name) ?? "";
  }
  showList(location.href, null);
});

// --- Selecting rows -----------------------------------------------------------------------------------

let lastTicked = null;

const rowBoxes = (form) => all('input[name="_selected_action"]', form);

function showSelection(form) {
  const boxes = rowBoxes(form);
  const ticked = boxes.filter((box) => box.checked).length;
  const across = one("[data-across]", form);
  const whole = ticked > 0 && ticked === boxes.length;
  const page = one("[data-select-page]", form);
  if (page) {
    page.checked = whole;
    page.indeterminate = ticked > 0 && !whole;
  }
  if (across) {
    across.hidden = !whole;
    if (!whole) one("input", across).checked = false;
  }
  const everything = across && one("input", across).checked;
  const count = one("[data-selection-count]", form);
  if (count) count.textContent = everything ? `All ${form.dataset.total} selected` : `${ticked} of ${boxes.length} selected`;
  const clear = one("[data-selection-clear]", form);
  if (clear) clear.hidden = ticked === 0;
}

function onSelectionClick(event) {
  const form = event.target.closest("form[data-selection]");
  if (!form) return;
  // The whole cell is the target, not its small box alone.
  const cell = event.target.matches("td.tick") ? one("input", event.target) : null;
  const box = cell ?? (event.target.matches('input[name="_selected_action"]') ? event.target : null);
  if (cell) cell.checked = !cell.checked;
  if (box) {
    const boxes = rowBoxes(form);
    const [from, to] = [boxes.indexOf(lastTicked), boxes.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) boxes.slice(from, to + 1).forEach((other) => (other.checked = box.checked));
    lastTicked = box;
  } else if (event.target.matches("[data-select-page]")) {
    rowBoxes(form).forEach((other) => (other.checked = event.target.checked));
  } else if (event.target.closest("[data-selection-clear]")) {
    rowBoxes(form).forEach((other) => (other.checked = false));
  } else if (!event.target.closest("[data-across]")) {
    return;
  }
  showSelection(form);
  announce(one("[data-selection-count]", form)?.textContent ?? "");
}

// --- Forms: dependent fields, unsaved changes, one submission ---------------------------------------------

/** Shows what `data-shown-when="name=value"` names. What is hidden is disabled, so that it is not sent. */
function showDependents(form) {
  for (const dependent of all("[data-shown-when]", form)) {
    const [name, value] = dependent.dataset.shownWhen.split("=");
    const shown = new FormData(form).getAll(name).includes(value);
    dependent.hidden = !shown;
    all("input, select, textarea", dependent).forEach((field) => (field.disabled = !shown));
  }
}

/** What a form would send, but for the token, to compare with later. */
function snapshot(form) {
  return JSON.stringify([...new FormData(form)].map(([name, value]) => [name, typeof value === "string" ? value : value.name]));
}

const saved = new WeakMap();
const leaving = new WeakSet();

function isDirty(form) {
  return form.dataset.guard === "dirty" || (saved.has(form) && saved.get(form) !== snapshot(form));
}

function showUnsaved(form) {
  const mark = one("[data-unsaved]", form);
  if (mark) mark.hidden = !isDirty(form);
}

window.addEventListener("beforeunload", (event) => {
  const guarded = all("form[data-guard]");
  if (guarded.some((form) => leaving.has(form))) return;
  if (guarded.some(isDirty)) event.preventDefault();
});

/** A second click on a button sends nothing again. */
function onSubmit(event) {
  const form = event.target;
  if (form.matches("form[data-live]")) {
    event.preventDefault();
    return showList(formAddress(form), "push");
  }
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

// --- Two lists in place of a <select multiple> --------------------------------------------------------------

let pickers = 0;

function makePicker(select) {
  const id = `picker-${(pickers += 1)}`;
  const name = one(`label[for="${CSS.escape(select.id)}"]`)?.textContent.trim() ?? select.name;
  const side = (chosen) => pickerSide(select, chosen, `${id}-${chosen ? "chosen" : "available"}`, name, draw);
  const sides = [side(false), side(true)];
  function draw(focus) {
    sides.forEach((drawn) => drawn.draw());
    if (focus) sides[focus.chosen ? 1 : 0].focus(focus.index);
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const few = select.options.length <= 8 ? " few" : "";
  const picker = element("div", { className: `picker${few}`, role: "group", "aria-label": name }, ...sides.map((made) => made.root));
  if (select.getAttribute("aria-describedby")) picker.setAttribute("aria-describedby", select.getAttribute("aria-describedby"));
  sides.forEach((drawn) => drawn.draw());
  select.hidden = true;
  select.after(picker);
}

/** One of the two lists: its options are buttons that move to the other, with one tab stop for all. */
function pickerSide(select, chosen, id, name, changed) {
  const list = element("ul", { "aria-labelledby": id });
  const filter = element("input", { type: "search", placeholder: "Filter", "aria-label": `Filter ${chosen ? "chosen" : "available"} ${name.toLowerCase()}` });
  const title = element("strong", { id });
  const every = element("button", { type: "button", className: "button quiet small" }, chosen ? "Remove all" : "Choose all");
  const root = element("div", {}, element("header", {}, title, every), filter, list);
  const buttons = () => all("button", list);

  function matching() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const names = (option) => `${option.parentElement.label ?? ""} ${option.text}`.toLowerCase();
    const fits = (option) => words.every((word) => names(option).includes(word));
    return [...select.options].filter((option) => option.selected === chosen && fits(option));
  }
  function draw() {
    const options = matching();
    let group = null;
    list.replaceChildren();
    options.forEach((option, index) => {
      const heading = option.parentElement.label ?? null;
      if (heading !== group) list.append(element("li", { className: "group" }, heading));
      group = heading;
      const verb = element("span", { className: "visually-hidden" }, chosen ? "Remove " : "Choose ");
      const button = element("button", { type: "button", tabIndex: index ? -1 : 0 }, verb, option.text, icon(chosen ? "cross" : "plus"));
      button.addEventListener("click", () => move([option], buttons().indexOf(button)));
      list.append(element("li", {}, button));
    });
    if (!options.length) list.append(element("li", { className: "none" }, filter.value ? "None matches." : "None."));
    const count = [...select.options].filter((option) => option.selected === chosen).length;
    title.textContent = `${chosen ? "Chosen" : "Available"} (${count})`;
    every.disabled = !options.length;
    every.textContent = `${chosen ? "Remove" : "Choose"} ${filter.value ? "these" : "all"}`;
  }
  function move(options, index) {
    options.forEach((option) => (option.selected = !chosen));
    const what = options.length === 1 ? options[0].text : `${options.length} entries`;
    announce(`${what} ${chosen ? "removed" : "chosen"}`);
    changed({ chosen, index });
  }
  function focus(index) {
    const left = buttons();
    if (left.length) focusOn(left[Math.min(index, left.length - 1)]);
    else filter.focus();
  }
  function focusOn(button) {
    buttons().forEach((other) => (other.tabIndex = other === button ? 0 : -1));
    button.focus();
  }
  every.addEventListener("click", () => move(matching(), 0));
  filter.addEventListener("input", (event) => {
    event.stopPropagation();
    draw();
  });
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
    if (event.key === "ArrowDown" && buttons().length) {
      event.preventDefault();
      focusOn(buttons()[0]);
    }
  });
  list.addEventListener("keydown", (event) => {
    const at = buttons().indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons().length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    if (to < 0) filter.focus();
    else if (buttons()[to]) focusOn(buttons()[to]);
  });
  return { root, draw, focus };
}

// --- The palette ------------------------------------------------------------------------------------------

const palette = { dialog: one("dialog[data-palette]"), timer: 0, running: null, found: [] };

const paletteWords = () => one("input", palette.dialog).value.toLowerCase().split(/\s+/).filter(Boolean);

/** The navigation's pages, for the first sight and while typing. */
function palettePages() {
  const entries = all("[data-nav] a").map((link) => ({
    href: link.href,
    text: link.textContent.trim(),
    detail: "",
    icon: one(".icon", link)?.cloneNode(),
  }));
  return { title: "Pages", entries };
}

/** What the search page found: its sections, each with a heading and links. */
function paletteFound(page) {
  return all("#results section", page).map((section) => ({
    title: one("h2", section)?.textContent ?? "",
    entries: all("a[href]", section).map((link) => ({
      href: link.getAttribute("href"),
      text: link.textContent.trim(),
      detail: one("small", link.closest("li"))?.textContent ?? "",
    })),
  }));
}

function showPalette(groups) {
  const list = one('[role="listbox"]', palette.dialog);
  const before = one('[aria-selected="true"]', palette.dialog)?.href;
  list.replaceChildren();
  let index = 0;
  for (const group of groups.filter((filled) => filled.entries.length)) {
    const options = group.entries.map((entry) => {
      const detail = entry.detail ? [element("small", { className: "soft" }, entry.detail)] : [];
      const option = element("a", { href: entry.href, id: `palette-${index}`, role: "option", tabIndex: -1, "aria-selected": "false" });
      option.append(...(entry.icon ? [entry.icon] : []), entry.text, ...detail);
      index += 1;
      return option;
    });
    const title = element("span", { role: "presentation" }, group.title);
    list.append(element("div", { role: "group", "aria-label": group.title }, title, ...options));
  }
  if (!index) list.append(element("p", { className: "empty", role: "presentation" }, "Nothing found."));
  selectOption(Math.max(0, all('[role="option"]', palette.dialog).findIndex((option) => option.href === before)));
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

/** What is at hand, at once: pages, and of the last answer what still fits. Enter must not take the unfitting. */
function filterPalette() {
  const words = paletteWords();
  const fits = (entry) => words.every((word) => `${entry.text} ${entry.detail}`.toLowerCase().includes(word));
  const found = words.length ? palette.found : [];
  showPalette([palettePages(), ...found].map((group) => ({ ...group, entries: group.entries.filter(fits) })));
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
    const pages = palettePages();
    pages.entries = pages.entries.filter((entry) => words.every((word) => entry.text.toLowerCase().includes(word)));
    showPalette([pages, ...palette.found]);
    announce(`${all('[role="option"]', palette.dialog).length} results`);
  } catch (error) {
    // Without an answer, the pages at hand remain.
    if (error.name !== "AbortError") palette.found = [];
  }
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

/** Prepares what is in the page, and again what a live list has replaced. */
function enhance(root) {
  labelCells(root);
  fitTables();
  all("form[data-selection]", root).forEach(showSelection);
  all("select[data-picker]:not([hidden])", root).forEach(makePicker);
}

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
  onSelectionClick(event);
  onListClick(event);
}

function onInput(event) {
  const form = event.target.form;
  if (event.target.matches("[data-single-keys]")) localStorage.setItem(SINGLE_KEYS, event.target.checked ? "on" : "off");
  if (!form) return;
  if (form.matches("[data-live]")) onListInput(form, event.type === "input" ? 200 : 0);
  showDependents(form);
  if (form.matches("[data-guard]")) showUnsaved(form);
}

enhance(document);
all("form").forEach(showDependents);
for (const form of all("form[data-guard]")) {
  saved.set(form, snapshot(form));
  showUnsaved(form);
}
all("[data-progress]").forEach((shown) => followProgress(shown));
all("[data-single-keys]").forEach((box) => (box.checked = singleKeys()));
one(".message.summary")?.focus();
document.addEventListener("click", onClick);
document.addEventListener("input", onInput);
document.addEventListener("change", onInput);
document.addEventListener("submit", onSubmit);
document.addEventListener("keydown", onKey);
