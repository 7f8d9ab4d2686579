// Spares reloads; the forms work without it. Texts go into the page through the server's templates or textContent, never
// as markup from here.
"use strict";

const byId = (id) => document.getElementById(id);

async function problem(response) {
  if (response.status === 401) location.assign("/login");
  try {
    const body = await response.json();
    return [body.detail || body.title, ...(body.errors || []).map((fault) => fault.detail)].join(" ");
  } catch {
    return `The service answered ${response.status}.`;
  }
}

// --- One review ---

async function analyze(event) {
  event.preventDefault();
  const form = event.target, result = byId("result"), button = form.querySelector("button");
  result.setAttribute("aria-busy", "true");
  button.disabled = true;
  button.textContent = "Analyzing…";
  try {
    const response = await fetch(form.action, {
      method: "POST", headers: { "X-Fragment": "1" }, body: new URLSearchParams(new FormData(form)),
    });
    if ((response.headers.get("content-type") || "").startsWith("text/html")) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      result.replaceChildren(...page.body.childNodes);
      enliven(result);
      result.querySelector("h2, .fault")?.scrollIntoView({ block: "nearest" });
    } else {
      fault(result, await problem(response));
    }
  } catch {
    fault(result, "The service cannot be reached.");
  } finally {
    result.setAttribute("aria-busy", "false");
    button.disabled = false;
    button.textContent = "Analyze";
  }
}

function fault(where, text) {
  const line = document.createElement("p");
  line.className = "fault";
  line.setAttribute("role", "alert");
  line.textContent = text;
  where.replaceChildren(line);
}

// --- Copying and votes, which need a script and stay hidden without one ---

function voter() {
  try {
    let id = localStorage.getItem("voter");
    if (!id) localStorage.setItem("voter", (id = Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-")));
    return id;
  } catch {
    return "nobody";
  }
}

async function copy(button) {
  const draft = byId(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(draft.value);
  } catch { // without https the clipboard is closed to scripts
    draft.select();
    document.execCommand("copy");
  }
  byId("copied").textContent = "Copied.";
}

async function vote(button) {
  const box = button.closest(".votes"), pressed = button.getAttribute("aria-pressed") === "true";
  const response = await fetch("/votes", {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      review_id: box.dataset.review, model: box.dataset.model, ballot: box.dataset.ballot, voter: voter(),
      suggestion: box.parentElement.querySelector(".suggestion").textContent.slice(0, 2000),
      vote: pressed ? 0 : Number(button.dataset.vote),
    }),
  });
  if (!response.ok) return;
  for (const other of box.querySelectorAll("button")) {
    other.setAttribute("aria-pressed", String(other === button && !pressed));
  }
}

function enliven(root) {
  for (const element of root.querySelectorAll("[data-copy], .votes")) element.hidden = false;
  for (const button of root.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button));
  for (const button of root.querySelectorAll("[data-vote]")) button.addEventListener("click", () => vote(button));
}

// --- A file ---

function send(form, onProgress) { // fetch does not tell how much of a body has been sent
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    request.onload = () => resolve(new Response(request.responseText, { status: request.status }));
    request.onerror = () => reject(new Error());
    request.send(new FormData(form));
  });
}

function show(text, done, total) {
  byId("progress").hidden = false;
  byId("progress-text").textContent = text;
  const bar = byId("progress-bar");
  if (total) { bar.max = total; bar.value = done; } else { bar.removeAttribute("value"); }
}

async function upload(event) {
  event.preventDefault();
  const form = event.target, button = form.querySelector("button");
  byId("downloads").hidden = true;
  button.disabled = true;
  try {
    show("Sending the file …", 0, 0);
    const response = await send(form, (done, total) => show("Sending the file …", done, total));
    if (!response.ok) throw new Error(await problem(response));
    let job = await response.json();
    const address = `/analyze/batch/${job.job_id}`;
    while (job.state === "queued" || job.state === "running") {
      show(job.state === "queued" ? "Waiting for its turn …" : job.rows === null ? "Reading the file …"
        : `${job.done} of ${job.rows} rows`, job.done, job.rows);
      await new Promise((resolve) => setTimeout(resolve, 700));
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(await problem(answer));
      job = await answer.json();
    }
    if (job.state === "failed") throw new Error(job.detail);
    const counts = `${job.rows} rows: ${job.analyzed} analyzed, ${job.rejected} rejected, ${job.duplicates} duplicates.`;
    show([counts, ...job.notes.map((note) => `Note: ${note}.`)].join(" "), 1, 1);
    byId("as-csv").href = `${address}/results?format=csv`;
    byId("as-json").href = `${address}/results?format=json`;
    byId("downloads").hidden = false;
  } catch (error) {
    show(error.message || "The service cannot be reached.", 0, 1);
  } finally {
    button.disabled = false;
  }
}

function droppable(zone, input) {
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
}

byId("review")?.addEventListener("submit", analyze);
byId("file")?.addEventListener("submit", upload);
if (byId("upload")) droppable(document.querySelector(".drop"), byId("upload"));
enliven(document);
