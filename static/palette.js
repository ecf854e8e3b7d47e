// The palette finds pages, commands and rows by a few letters. admin.js loads it when it is first opened.
import { all, announce, element, fetchPage, one } from "./admin.js";

const palette = { dialog: one("dialog[data-palette]"), timer: 0, running: null, found: [] };

const paletteWords = () => one("input", palette.dialog).value.toLowerCase().split(/\s+/).filter(Boolean);

/** Whether an entry contains every typed word. */
function fitsPalette(entry) {
  return paletteWords().every((word) => `${entry.text} ${entry.detail}`.toLowerCase().includes(word));
}

/** The pages of the navigation and the entries of the user menu. Choosing a button clicks it. */
function pagesAtHand() {
  const links = [...all("[data-nav] a"), ...all("#user-menu a, #user-menu button")];
  // The user menu repeats pages of the navigation.
  const isFirst = (link, at) => !link.href || links.findIndex((other) => other.href === link.href) === at;
  return links.filter(isFirst).map((link) => ({
    href: link.href,
    text: link.ariaLabel ?? link.textContent.trim(),
    detail: "",
    icon: one(".icon", link)?.cloneNode(),
    press: link.href ? null : () => link.click(),
  }));
}

/** The rows that this user has opened last; form.js keeps them. */
function recentRows() {
  const recent = JSON.parse(localStorage.getItem("gatepost-recent") ?? "null");
  return recent?.user === palette.dialog.dataset.user ? recent.rows : [];
}

/** What can be done with the selected rows of a list. */
function actionsAtHand() {
  const form = one("form[data-selection]:has(input[name=_selected_action]:checked)");
  if (!form) return [];
  const run = (value) => {
    form.elements.action.value = value;
    palette.dialog.close();
    form.requestSubmit();
  };
  const options = all("select[name=action] option", form).filter((option) => option.value);
  return options.map((option) => ({ text: option.text, detail: "", press: () => run(option.value) }));
}

/** What the open page offers, and the themes. Choosing one clicks it. */
function commandsAtHand() {
  const command = (button, text) => ({
    href: button.href,
    text,
    detail: "",
    icon: one(".icon", button)?.cloneNode(),
    press: button.href ? null : () => button.click(),
  });
  // On a page of a row, its buttons and tabs are shown with the name of the row.
  const row = one(".tabs") ? one("h1").textContent.trim() : "";
  const ofRow = (selector) => all(selector).map((link) => ({ ...command(link, link.textContent.trim()), detail: row }));
  const [offered, tabs] = [ofRow(".page-head :is(a, button)"), ofRow(".tabs a:not([aria-current])")];
  return [...offered, ...actionsAtHand(), ...tabs, ...all("[data-theme-form] button").map((button) => command(button, `Theme: ${button.title.toLowerCase()}`))];
}

/** The results of the search page: its sections, each with a heading and links. */
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

/** Shows the matching pages and the search results. `waits`: whether an answer is still to come. */
function showPalette(found, waits) {
  const atHand = pagesAtHand().filter(fitsPalette);
  const known = new Set(atHand.map((entry) => entry.href));
  const others = found.filter((group) => group.isPages).flatMap((group) => group.entries);
  const pages = { title: "Pages", entries: [...atHand, ...others.filter((entry) => !known.has(entry.href))] };
  const rows = found.filter((group) => !group.isPages && !group.isLists && group.entries.length);
  const lists = found.filter((group) => group.isLists && group.entries.length);
  const recent = { title: "Recent", entries: recentRows().map((row) => ({ ...row, detail: "" })).filter(fitsPalette) };
  const commands = { title: "Commands", entries: commandsAtHand().filter(fitsPalette) };
  const list = one('[role="listbox"]', palette.dialog);
  const before = one('[aria-selected="true"]', palette.dialog)?.href;
  const groups = [recent, pages, commands].filter((group) => group.entries.length).concat(rows);
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

/** Immediately hides entries that no longer match, so that Enter never opens one of them. */
function filterPalette() {
  const isSearch = paletteWords().length > 0;
  const found = isSearch ? palette.found : [];
  showPalette(found.map((group) => ({ ...group, entries: group.entries.filter(fitsPalette) })), isSearch);
}

/** Shows the entries that match the text typed so far. */
export function show() {
  filterPalette();
  searchPalette();
}

/** Opens the selected entry, if there is one. */
export function choose() {
  const option = one('[aria-selected="true"]', palette.dialog);
  option?.click();
  return option !== null;
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
    // Without an answer, only the matching pages remain.
    palette.found = [];
  }
  const isAny = showPalette(palette.found, false);
  announce(isAny ? `${all('[role="option"]', palette.dialog).length} results` : "Nothing found.");
}

palette.dialog.addEventListener("input", () => {
  filterPalette();
  clearTimeout(palette.timer);
  palette.timer = setTimeout(searchPalette, 150);
});
palette.dialog.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    selectOption(step, true);
  } else if (event.key === "Escape") {
    // By default, Escape only clears a search box.
    event.preventDefault();
    palette.dialog.close();
  } else if (event.key === "Enter" && event.target.matches("input") && choose()) {
    event.preventDefault();
  }
});
