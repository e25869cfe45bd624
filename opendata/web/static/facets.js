// Ticking a filter searches at once; without this module the button below the filters does it.

for (const form of document.querySelectorAll("form[data-autosubmit]")) {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
}
