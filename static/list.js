// The script of lists: search and filters without loading a new page, row selection, and keys.
import { all, announce, fetchPage, isShortcut, one } from "./admin.js";

// --- Live lists ---

const live = { running: null, timer: 0, url: location.href.split("#")[0] };

/** The URL that the form leads to, without its empty fields. */
function formUrl(form) {
  const url = new URL(form.action, location.href);
  const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string" && value !== "");
  url.search = new URLSearchParams(fields).toString();
  return url.href;
}

/** Remembers the focused element of a region. Returns a function that finds it again in the new region. */
function focusMark(region) {
  const focused = document.activeElement;
  if (!region.contains(focused)) return null;
  const like = (within) => all("a, button, input, select", within).filter((other) => other.textContent === focused.textContent);
  const nth = like(region).indexOf(focused);
  return (fresh) => (focused.id && fresh.querySelector(`#${CSS.escape(focused.id)}`)) || like(fresh)[nth] || null;
}

/** Replaces the live regions with those of another page. The search box is outside them and keeps its caret. */
function showRegions(page) {
  for (const region of all("[data-live-region]")) {
    const fresh = page.getElementById(region.id);
    if (!fresh) continue;
    const refocus = focusMark(region);
    region.replaceWith(fresh);
    refocus?.(fresh)?.focus({ preventScroll: true });
  }
  document.title = page.title;
  enhance();
  announce(one("[data-result-count]")?.textContent ?? "");
}

/** Shows a URL in the list. `history` is `push`, `replace`, or null if the browser already shows the URL. */
async function showList(url, history) {
  clearTimeout(live.timer);
  live.running?.abort();
  live.url = url.split("#")[0];
  const running = (live.running = new AbortController());
  all("[data-live-region]").forEach((region) => region.setAttribute("aria-busy", "true"));
  try {
    const page = await fetchPage(url, running.signal);
    if (!page) return location.assign(url);
    // Before the regions, because their relative links resolve against the new URL.
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
  live.timer = setTimeout(() => {
    const url = formUrl(form);
    // Leaving the search box is a change as well, and new rows would lose the ticks of those that are shown.
    if (url !== live.url) showList(url, "replace");
  }, delay);
}

function onListClick(event) {
  const link = event.target.closest("[data-live-region] a[href]");
  if (!link || !one("form[data-live]") || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname !== location.pathname) return;
  event.preventDefault();
  showList(url.href, "push");
}

window.addEventListener("popstate", () => {
  const form = one("form[data-live]");
  // A skip link changes only what follows the #.
  if (!form || location.href.split("#")[0] === live.url) return;
  const parameters = new URLSearchParams(location.search);
  for (const field of form.elements) {
    if (field.name && !field.closest("[data-live-region]")) field.value = parameters.get(field.name) ?? "";
  }
  showList(location.href, null);
});

// --- Selecting rows ---

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
  // The whole cell is clickable, because the checkbox is small.
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

// --- Event listeners ---

/** Most lists have nothing to suggest, so the script loads where it is needed. */
async function suggest() {
  if (!one("input[data-suggest]")) return;
  const { suggestRows } = await import("./combobox.js");
  all("input[data-suggest]:not([role])").forEach(suggestRows);
}

/** Prepares the page, and later the regions that were replaced. */
function enhance() {
  all("form[data-selection]").forEach(showSelection);
  suggest();
}

function onInput(event) {
  const form = event.target.form;
  if (form?.matches("[data-live]")) onListInput(form, event.type === "input" ? 200 : 0);
}

enhance();
one(".saved")?.scrollIntoView({ block: "nearest" });
// rows.js loads with the first of these events.
document.addEventListener("pointerover", async (event) => (await import("./rows.js")).showCutOff(event));
document.addEventListener("keydown", async (event) => isShortcut(event) && (await import("./rows.js")).onRowKey(event));
document.addEventListener("click", onSelectionClick);
document.addEventListener("click", onListClick);
document.addEventListener("input", onInput);
document.addEventListener("change", onInput);
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-live]")) return;
  event.preventDefault();
  showList(formUrl(event.target), "push");
});
