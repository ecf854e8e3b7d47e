// The dialog with the keyboard shortcuts; admin.js loads it when it is first opened.
import { element, one, SINGLE_KEYS, singleKeys } from "./admin.js";

const SHORTCUTS = [
  [["Ctrl", "K"], "Search, run a command, or go to a page"],
  [["Ctrl", "S"], "Save the form"],
  [["/"], "Search the list"],
  [["j", "k"], "Next, previous row of a list"],
  [["x"], "Select the row"],
  [["Enter"], "Open the row"],
  [["?"], "Show this help"],
  [["Shift", "click"], "Select a range of rows"],
  [["Esc"], "Close"],
];

const keys = (names) => names.flatMap((name) => [element("kbd", {}, name), " "]);

function makeDialog() {
  const box = element("input", { type: "checkbox", checked: singleKeys() });
  box.addEventListener("change", () => localStorage.setItem(SINGLE_KEYS, box.checked ? "on" : "off"));
  const close = element("button", { type: "button", className: "button small", "data-close": "" }, "Close");
  const title = element("h2", { id: "shortcuts-title" }, "Keyboard shortcuts");
  const facts = SHORTCUTS.map(([names, text]) => element("div", {}, element("dt", {}, ...keys(names)), element("dd", {}, text)));
  const dialog = element("dialog", { id: "shortcuts", className: "help-dialog", "aria-labelledby": title.id },
    element("div", { className: "panel-head" }, title, close),
    element("div", { className: "panel-body" },
      element("dl", { className: "facts" }, ...facts),
      element("label", { className: "choice" }, box, element("span", {}, "Single-key shortcuts (", ...keys(["/", "j", "k", "x", "?"]), ")"))));
  document.body.append(dialog);
  return dialog;
}

export const show = () => (one("#shortcuts") ?? makeDialog()).showModal();
