// The progress of a long task.
import { announce, fetchPage } from "./admin.js";

/** Requests the page again until its element no longer has `data-progress`. */
export async function followProgress(shown, failures = 0) {
  await new Promise((resume) => setTimeout(resume, failures ? 2000 : 500));
  try {
    const page = await fetchPage(shown.dataset.progress);
    const fresh = page?.getElementById(shown.id);
    if (!fresh) return location.reload();
    shown.replaceWith(fresh);
    if (fresh.dataset.progress) followProgress(fresh);
    else announce(fresh.textContent.trim());
  } catch {
    followProgress(shown, failures + 1);
  }
}
