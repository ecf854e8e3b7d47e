// Chips that replace a `<select multiple>`, with an input that suggests what is not chosen yet.
import { announce, element, icon, one } from "./admin.js";
import { makeCombobox } from "./combobox.js";

const SUGGESTED = 8;

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
