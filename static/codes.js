// The page with recovery codes: copying and printing them.
import { all, announce, one } from "./admin.js";

one("[data-copy]").addEventListener("click", async () => {
  const codes = all("#recovery-codes li").map((line) => line.textContent.trim());
  try {
    await navigator.clipboard.writeText(codes.join("\n"));
    announce("Copied.");
  } catch {
    announce("Not copied: your browser does not allow it.");
  }
});
one("[data-print]").addEventListener("click", () => print());
