// While a file is being sent: how much of it is there, in real numbers, and a word at once about one that is
// too large. Without this module the form is sent by the browser alone. Texts come from data attributes.
// Large files go in pieces (tus), which a lost connection or a reload only delays. Pieces need a dataset to belong
// to, so that of a new one is saved first, and what follows happens under its own address.

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
    if (!isLarge) send(form, event.submitter);
    else if (form.dataset.into === "new") saveFirst(form, input, event.submitter);
    else inPieces(form, input.files[0], event.submitter);
  });
}

function inPieces(form, file, button) {
  sendInPieces(form, file, button, show(form), () => send(form, button));
}

// The description alone makes the dataset. From then on this form only adds its file, and a reload shows the
// dataset itself, where the same file chosen again goes on.
async function saveFirst(form, input, button) {
  const { bar, words } = show(form);
  button.disabled = true;
  try {
    const fields = new FormData(form);
    fields.delete(input.name);
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(fields) });
    const [, slug] = new URL(answer.url).pathname.match(/\/publish\/([^/]+)$/) ?? [];
    if (!answer.ok) return instead(await answer.text(), input.files);
    if (!slug) return location.assign(answer.url);
    history.replaceState(null, "", answer.url);
    form.dataset.into = `dataset ${slug}`;
    form.action = `${new URL(answer.url).pathname}/files`;
    const note = document.createElement("p");
    note.textContent = form.dataset.saved;
    form.querySelector("[formenctype]").replaceWith(note);
    for (const field of form.elements) field.disabled = ![input.name, "form_token"].includes(field.name) && field !== button;
    inPieces(form, input.files[0], button);
  } catch {
    words.textContent = form.dataset.brokeOff;
    bar.remove();
    button.disabled = false;
  }
}

// The answer is a whole page that says what to mend; its main part takes the place of ours.
function instead(text, files) {
  const page = new DOMParser().parseFromString(text, "text/html");
  document.title = page.title;
  document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
  for (const fresh of document.querySelectorAll("form[data-upload]")) improve(fresh);
  if (files) document.querySelector("form[data-upload] input[type=file]").files = files;
  (document.querySelector("#errors") ?? document.querySelector("main")).focus();
  scrollTo(0, 0);
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
    instead(request.responseText);
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
