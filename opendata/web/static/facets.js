// Ticking a filter searches at once; without this module the button below the filters does it. The button
// comes back for dates and years, which are typed in several strokes.

for (const form of document.querySelectorAll("form[data-autosubmit]")) {
  const button = form.querySelector("button");
  button.hidden = true;
  form.addEventListener("input", (event) => {
    if (event.target.type !== "checkbox") button.hidden = false;
  });
  form.addEventListener("change", (event) => {
    if (event.target.type === "checkbox") form.requestSubmit();
  });
  // What was left empty does not belong in the address.
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });
}
