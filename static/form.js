// The script of forms: dependent fields, a warning about unsaved changes, and what replaces a `<select multiple>`: two
// lists or, without headings, chips.
import { all, announce, element, icon, leaving, one } from "./admin.js";
import { makeChips } from "./chips.js";

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

// --- Two lists that replace a <select multiple> ---

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

/** One of the two lists. Its options are buttons that move to the other list; together they are one tab stop. */
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
    if (!options.length) list.append(element("li", { className: "none" }, filter.value ? "No matches." : "None."));
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

// --- Event listeners ---

function onInput(event) {
  const form = event.target.form;
  if (!form) return;
  showDependents(form);
  if (form.matches("[data-guard]")) showUnsaved(form);
}

all("select[data-picker]:not([hidden])").forEach((select) => (one("optgroup", select) ? makePicker : makeChips)(select));
all("form").forEach(showDependents);
for (const form of all("form[data-guard]")) {
  saved.set(form, snapshot(form));
  showUnsaved(form);
}
one(".message.summary")?.focus();
document.addEventListener("input", onInput);
document.addEventListener("change", onInput);
