// Inputs that suggest entries while someone types: the combobox with a listbox of ARIA. They find rows, and choose for
// the chips that replace a `<select multiple>`.
import { announce, element, icon, one } from "./admin.js";

let boxes = 0;

/** `find(text)` returns entries with `text` and perhaps `detail`, or a promise of them; `choose(entry)` takes one. */
export function makeCombobox(input, find, choose) {
  const id = `suggestions-${(boxes += 1)}`;
  const list = element("ul", { id, className: "suggestions", role: "listbox", hidden: true, "aria-label": "Suggestions" });
  const state = { entries: [], current: -1, asked: 0 };
  Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list", autocomplete: "off" })
    .forEach(([name, value]) => input.setAttribute(name, value));
  input.after(list);

  function draw() {
    list.replaceChildren(...state.entries.map((entry, index) => {
      const detail = entry.detail ? [element("small", {}, entry.detail)] : [];
      const selected = String(index === state.current);
      const option = element("li", { id: `${id}-${index}`, role: "option", "aria-selected": selected }, entry.text, ...detail);
      // Before the input loses the focus.
      option.addEventListener("mousedown", (event) => {
        event.preventDefault();
        take(entry);
      });
      return option;
    }));
    list.hidden = !state.entries.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (state.current < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `${id}-${state.current}`);
    list.children[state.current]?.scrollIntoView({ block: "nearest" });
  }
  function show(entries) {
    Object.assign(state, { entries, current: -1 });
    draw();
  }
  async function ask() {
    const asked = (state.asked += 1);
    const entries = await find(input.value.trim());
    if (asked === state.asked && document.activeElement === input) show(entries);
  }
  function take(entry) {
    state.asked += 1;
    show([]);
    choose(entry);
  }
  function onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && state.entries.length) {
      const count = state.entries.length + 1;
      state.current = ((state.current + 1 + step + count) % count) - 1;
      draw();
    } else if (step) ask();
    else if (event.key === "Enter" && state.current >= 0) take(state.entries[state.current]);
    else if (event.key === "Escape" && !list.hidden) show([]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  input.addEventListener("input", ask);
  input.addEventListener("keydown", onKey);
  input.addEventListener("blur", () => show([]));
}

/** Suggests rows of a model. Where the input names a filter, the chosen row filters at once, by its id. */
export function suggestRows(input) {
  const { suggest: url, suggestName: name } = input.dataset;
  async function find(text) {
    if (!text) return [];
    const response = await fetch(`${url}?q=${encodeURIComponent(text)}`).catch(() => null);
    const isJson = response?.headers.get("content-type")?.includes("json");
    return isJson ? (await response.json()).results : [];
  }
  function choose({ id, text }) {
    input.value = text;
    if (!name) return;
    input.form.append(element("input", { type: "hidden", name, value: id }));
    input.disabled = true;
    input.form.requestSubmit();
  }
  makeCombobox(input, find, choose);
}

// --- Chips ---

const SUGGESTED = 8;

/** Replaces a `<select multiple>` with chips, and an input that suggests what is not chosen yet. */
export function makeChips(select) {
  const label = one(`label[for="${CSS.escape(select.id)}"]`);
  const name = label?.textContent.trim() ?? select.name;
  const list = element("ul", { className: "chips", "aria-label": name });
  const input = element("input", { type: "text", id: `${select.id}-add`, placeholder: "Add…", "aria-label": `Add to ${name.toLowerCase()}` });
  const root = element("div", { className: "chips-field", role: "group", "aria-label": name }, list, element("div", { className: "suggesting" }, input));
  const described = select.getAttribute("aria-describedby");
  if (described) input.setAttribute("aria-describedby", described);

  function set(option, selected) {
    option.selected = selected;
    announce(`${option.text} ${selected ? "added" : "removed"}`);
    draw();
    select.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  }
  function chip(option) {
    if (option.disabled) return element("li", {}, element("span", { className: "chip" }, option.text, icon("lock")));
    const verb = element("span", { className: "visually-hidden" }, "Remove ");
    const button = element("button", { type: "button", className: "chip" }, verb, option.text, icon("cross"));
    button.addEventListener("click", () => set(option, false));
    return element("li", {}, button);
  }
  function draw() {
    list.replaceChildren(...[...select.selectedOptions].map(chip));
    list.hidden = !list.children.length;
  }
  function find(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (option) => !option.selected && words.every((word) => option.text.toLowerCase().includes(word));
    return [...select.options].filter(fits).slice(0, SUGGESTED).map((option) => ({ text: option.text, option }));
  }
  makeCombobox(input, find, ({ option }) => {
    input.value = "";
    set(option, true);
  });
  // What is typed here is no field of the form, so Enter may not send it.
  input.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  input.addEventListener("input", (event) => event.stopPropagation());
  draw();
  select.hidden = true;
  select.after(root);
  if (label) label.htmlFor = input.id;
}
