// Copies texts.
import { announce } from "./admin.js";

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied.");
  } catch {
    announce("Not copied: your browser does not allow it.");
  }
}
