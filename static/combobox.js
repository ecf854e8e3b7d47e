// An input that suggests entries while someone types: the combobox with a listbox of ARIA.
import { element } from "./admin.js";

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
