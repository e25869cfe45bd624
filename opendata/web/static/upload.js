// While a file is being sent: how much of it is there, in real numbers, and a word at once about one that is
// too large. Without this module the form is sent by the browser alone. Texts come from data attributes.
// Large files for a dataset that exists go in pieces (tus), which a lost connection or a reload only delays.

import { sendInPieces } from "./pieces.js";

const LARGE = 8 << 20;

for (const form of document.querySelectorAll("form[data-upload]")) improve(form);

function improve(form) {
  const input = form.querySelector("input[type=file]");

  input.addEventListener("change", () => {
    const isTooLarge = input.files[0]?.size > Number(form.dataset.limit);
    input.setCustomValidity(isTooLarge ? form.dataset.tooLarge : "");
    if (isTooLarge) input.reportValidity();
  });

  form.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("formenctype") || !input.files.length) return;
    event.preventDefault();
    const isLarge = form.dataset.into && input.files[0].size > LARGE;
    if (isLarge) sendInPieces(form, input.files[0], event.submitter, show(form), () => send(form, event.submitter));
    else send(form, event.submitter);
  });
}

function send(form, button) {
  const request = new XMLHttpRequest();
  const { bar, words } = show(form);
  button.disabled = true;

  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.max = total;
    bar.value = loaded;
    words.textContent = `${form.dataset.sending} ${Math.floor((100 * loaded) / total)}%`;
  });
  request.addEventListener("load", () => {
    if (request.status < 400) return location.assign(request.responseURL);
    // The answer is a whole page that says what to mend; its main part takes the place of ours.
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    document.title = page.title;
    document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
    for (const fresh of document.querySelectorAll("form[data-upload]")) improve(fresh);
    (document.querySelector("#errors") ?? document.querySelector("main")).focus();
    scrollTo(0, 0);
  });
  request.addEventListener("error", () => {
    words.textContent = form.dataset.brokeOff;
    bar.remove();
    button.disabled = false;
  });
  request.open("POST", form.action);
  request.send(new FormData(form));
}

function show(form) {
  form.querySelector(".sending")?.remove();
  const region = document.createElement("div");
  region.className = "sending";
  region.setAttribute("role", "status");
  const words = document.createElement("p");
  words.textContent = form.dataset.sending;
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", form.dataset.sending);
  region.append(words, bar);
  form.append(region);
  return { bar, words };
}
