// The script of forms: dependent fields, a warning about unsaved changes, and what replaces a `<select multiple>`: two
// lists or, without headings, chips.
import { all, leaving, one } from "./admin.js";

// --- Dependent fields, unsaved changes ---

/** Shows an element with `data-shown-when="name=value"` while the field has that value. Hidden fields are disabled, so
 * the browser does not send them. */
function showDependents(form) {
  for (const dependent of all("[data-shown-when]", form)) {
    const [name, value] = dependent.dataset.shownWhen.split("=");
    const shown = new FormData(form).getAll(name).includes(value);
    dependent.hidden = !shown;
    all("input, select, textarea", dependent).forEach((field) => (field.disabled = !shown));
  }
}

/** The values that a form would send, to find out later whether they changed. */
function snapshot(form) {
  return JSON.stringify([...new FormData(form)].map(([name, value]) => [name, typeof value === "string" ? value : value.name]));
}

const saved = new WeakMap();

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

// --- What replaces a <select multiple> ---

/** Two lists where options have headings, chips where they have none. */
async function replace(select) {
  if (one("optgroup", select)) (await import("./picker.js")).makePicker(select);
  else (await import("./combobox.js")).makeChips(select);
}

/** Loads nothing for what is folded away. */
function replaceOnceShown(select) {
  const folded = select.closest("details:not([open])");
  if (folded) folded.addEventListener("toggle", () => replace(select), { once: true });
  else replace(select);
}

// --- Recent rows, which the palette offers ---

const MOST_RECENT = 6;

/** Keeps the rows that this user has opened, without those of another one. palette.js reads them. */
function rememberRow(href, text) {
  const { user } = one("[data-user]").dataset;
  const known = JSON.parse(localStorage.getItem("gatepost-recent") ?? "null");
  const others = known?.user === user ? known.rows.filter((row) => row.href !== href) : [];
  localStorage.setItem("gatepost-recent", JSON.stringify({ user, rows: [{ href, text }, ...others].slice(0, MOST_RECENT) }));
}

if (/\/\d+\/change\/$/.test(location.pathname)) rememberRow(location.pathname, one("h1").textContent.trim());

// --- Event listeners ---

function onInput(event) {
  const form = event.target.form;
  if (!form) return;
  showDependents(form);
  if (form.matches("[data-guard]")) showUnsaved(form);
}

all("select[data-picker]:not([hidden])").forEach(replaceOnceShown);
all("form").forEach(showDependents);
for (const form of all("form[data-guard]")) {
  saved.set(form, snapshot(form));
  showUnsaved(form);
}
one(".message.summary")?.focus();
document.addEventListener("input", onInput);
document.addEventListener("change", onInput);
