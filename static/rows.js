// The rows of lists: keys, and what is cut off.
import { all, one } from "./admin.js";

/** Moves between rows, selects the current one, and opens it: the row with the focus. */
export function onRowKey(event) {
  const links = all("#rows > tr > th a");
  const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  const to = { j: at + 1, k: Math.max(0, at - 1) }[event.key];
  const row = links[at]?.closest("tr");
  if (links[to]) links[to].focus();
  else if (event.key === "x" && row) one(".tick input", row)?.click();
  else if (event.key === "Enter" && event.target.matches(".tick input")) links[at].click();
}

/** What is cut off shows itself on hover. */
export function showCutOff(event) {
  const shown = event.target.closest?.(".list-rows :is(td, th a)");
  const cell = shown?.closest("td, th");
  if (shown && !shown.title && cell.scrollWidth > cell.clientWidth) shown.title = shown.textContent.trim();
}
