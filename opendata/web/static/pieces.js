// Sends a file in pieces by the tus protocol. Where it went is remembered by name, size and date of the file, so
// that choosing the same file again, even after the page was closed, goes on where sending stopped.

const UPLOADS = "/api/v1/uploads";
const PIECE = 8 << 20;
const TRIES = 30;

export async function sendInPieces(form, file, button, { bar, words }, instead) {
  const key = `upload ${form.dataset.into} ${file.name} ${file.size} ${file.lastModified}`;
  const token = form.querySelector("[name=form_token]").value;
  const call = (method, address, headers, body, progress) => request(method, address, { ...headers, "X-Form-Token": token }, body, progress);
  const show = (done, text = form.dataset.sending) => {
    bar.max = file.size;
    bar.value = done;
    words.textContent = `${text} ${Math.floor((100 * done) / file.size)}%`;
  };

  button.disabled = true;
  let address = recall(key);
  let offset = -1;
  let failures = 0;
  try {
    while (offset < file.size) {
      try {
        if (address && offset < 0) offset = await reached(call, address);
        if (offset < 0) {
          address = await begin(call, form, file);
          remember(key, address);
          offset = 0;
        }
        show(offset);
        const body = file.slice(offset, offset + PIECE);
        if (body.size) offset = await put(call, address, offset, body, (sent) => show(offset + sent));
        failures = 0;
      } catch (error) {
        if (!address && !error.detail) return instead();
        if (!error.passes || ++failures > TRIES) throw error;
        if (offset >= 0) show(offset, form.dataset.waiting);
        await pause(Math.min(500 * 2 ** failures, 15_000));
        offset = -1;
      }
    }
    const { resource_id } = JSON.parse((await call("GET", address)).responseText);
    remember(key, null);
    location.assign(`${form.action.replace(/\/[^/]+\/replace$/, "")}/${resource_id}`);
  } catch (error) {
    words.textContent = error.detail || form.dataset.brokeOff;
    bar.remove();
    button.disabled = false;
    if (error.detail) remember(key, null);
  }
}

async function begin(call, form, file) {
  const [kind, id] = form.dataset.into.split(" ");
  const title = kind === "dataset" ? form.querySelector("[name='file_title.vi']")?.value : "";
  const schema = form.querySelector("[name=without_schema]:checked") ? '{"fields": []}' : "";
  const said = { filename: file.name, [kind]: id, ...(title && { title }), ...(schema && { schema }) };
  const pairs = Object.entries(said).map(([name, text]) => `${name} ${base64(text)}`);
  const headers = { "Upload-Length": file.size, "Upload-Metadata": pairs.join(",") };
  return new URL((await call("POST", UPLOADS, headers)).getResponseHeader("Location")).pathname;
}

// How many bytes are there; -1 when that upload is gone.
async function reached(call, address) {
  try {
    return Number((await call("HEAD", address)).getResponseHeader("Upload-Offset"));
  } catch (error) {
    if (error.status === 404 || error.status === 410) return -1;
    throw error;
  }
}

async function put(call, address, offset, body, progress) {
  const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": offset };
  return Number((await call("PATCH", address, headers, body, progress)).getResponseHeader("Upload-Offset"));
}

// Rejects with the status, the portal's sentence, and whether trying again makes sense.
function request(method, address, headers, body, progress) {
  return new Promise((resolve, reject) => {
    const sent = new XMLHttpRequest();
    sent.open(method, address);
    const all = { "Tus-Resumable": "1.0.0", "Accept-Language": document.documentElement.lang, ...headers };
    for (const [name, value] of Object.entries(all)) sent.setRequestHeader(name, value);
    if (progress) sent.upload.addEventListener("progress", ({ loaded }) => progress(loaded));
    sent.addEventListener("error", () => reject({ passes: true }));
    sent.addEventListener("load", () => {
      const { status } = sent;
      if (status < 400) return resolve(sent);
      const passes = status >= 500 || status === 409 || status === 423 || status === 429;
      reject({ status, passes, detail: passes ? "" : sentence(sent.responseText) });
    });
    sent.send(body);
  });
}

function sentence(text) {
  try {
    const { detail, errors } = JSON.parse(text);
    return errors?.[0]?.message ?? detail;
  } catch {
    return "";
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
    addEventListener("online", resolve, { once: true });
  });
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

// A browser may keep nothing for us; then only a reload starts afresh.
function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key, address) {
  try {
    if (address) localStorage.setItem(key, address);
    else localStorage.removeItem(key);
  } catch {
    return;
  }
}
