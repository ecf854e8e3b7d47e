// Two lists that replace a `<select multiple>`: what is available, and what is chosen.
import { all, announce, element, icon, one } from "./admin.js";

let pickers = 0;

export function makePicker(select) {
  const id = `picker-${(pickers += 1)}`;
  const name = one(`label[for="${CSS.escape(select.id)}"]`)?.textContent.trim() ?? select.name;
  const side = (chosen) => pickerSide(select, chosen, `${id}-${chosen ? "chosen" : "available"}`, name, draw);
  const sides = [side(false), side(true)];
  function draw(focus) {
    sides.forEach((drawn) => drawn.draw());
    if (focus) sides[focus.chosen ? 1 : 0].focus(focus.index);
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const picker = element("div", { className: "picker", role: "group", "aria-label": name }, ...sides.map((made) => made.root));
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
