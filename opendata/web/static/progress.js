// Refreshes the marked part of a page while a file is being processed; without this module the page
// reloads itself. The part says with data-settled when there is nothing more to wait for.

const PAUSE = 1500;
const FAILURES = 5;
let failures = 0;

async function refresh() {
  const held = document.querySelector("[data-progress]");
  if (!held || "settled" in held.dataset) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-progress]");
    if (!answer.ok || !fresh || "settled" in fresh.dataset) return location.reload();
    held.replaceWith(fresh);
    failures = 0;
  } catch {
    failures += 1;
    if (failures >= FAILURES) return;
  }
  setTimeout(refresh, PAUSE);
}

setTimeout(refresh, PAUSE);
