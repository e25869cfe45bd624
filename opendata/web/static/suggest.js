// Completions under the search box: an ARIA combobox (list autocomplete with manual selection).
// Without this module the box is an ordinary search field. Texts come from data attributes.

const PAUSE = 120;
const LEAST = 2;

for (const field of document.querySelectorAll("[data-suggest]")) improve(field);

function improve(field) {
  const input = field.querySelector("input");
  const list = document.createElement("ul");
  list.id = `${input.id}-suggestions`;
  list.className = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", field.dataset.suggestLabel);
  field.append(list);
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-controls": list.id,
    "aria-expanded": "false",
  })) input.setAttribute(name, value);

  let chosen = -1;
  let asked = "";
  let timer = 0;
  let running = null;

  const close = () => {
    list.hidden = true;
    list.replaceChildren();
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const choose = (index) => {
    const options = [...list.children];
    chosen = (index + options.length) % options.length;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    input.setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  };

  const take = (text) => {
    input.value = text;
    close();
    input.form.requestSubmit();
  };

  const show = (lines) => {
    close();
    if (!lines.length || document.activeElement !== input) return;
    list.append(...lines.map((line, at) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${at}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.textContent = line;
      option.addEventListener("mousedown", (event) => event.preventDefault());
      option.addEventListener("click", () => take(line));
      return option;
    }));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  };

  const ask = async () => {
    const text = input.value.trim();
    if (text === asked) return;
    asked = text;
    running?.abort();
    if (text.length < LEAST) return close();
    running = new AbortController();
    try {
      const address = `${field.dataset.suggest}?${new URLSearchParams({ q: text })}`;
      const answer = await fetch(address, { signal: running.signal });
      if (answer.ok) show((await answer.json()).items ?? []);
      else close();
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  input.addEventListener("blur", () => setTimeout(close, 100));
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? chosen + 1 : chosen < 0 ? -1 : chosen - 1);
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      take(list.children[chosen].textContent);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    }
  });
}
