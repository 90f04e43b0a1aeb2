// Your own catalogue: files go to the server one by one, then Python draws each step; the bar alone moves by itself.
const events = ["look", "read", "choose", "build", "cancel", "resume", "discard"];
const [words, names] = ["words", "names"].map((of) => JSON.parse(element.querySelector("[data-words]").dataset[of]));
const fill = (text, ...values) => text.replace(/%(\d)/g, (_, place) => values[place - 1]);
const stages = ["reading", "encoding", "learning", "measuring", "saving"];
const KEY = "mmdemo-draft";
let draft = "", sending = null, asking = false, timer = 0;
let typed = null; // the name, which stays when the tab is drawn anew
const asked = []; // what was asked of the server so far, in turn
let answered = 0, drawn = ""; // the latest question that was answered, and what is drawn
const ask = (act, said) => trigger(act, { ...said, question: String(asked.push(act)) });
try { draft = localStorage.getItem(KEY) || ""; } catch (error) { /* storage may be closed to us */ }
const own = (id) => { // the last drafts of this browser: the catalogues built of them are shown to it
  const known = document.cookie.match(/(?:^|; )mmdemo-yours=([\da-f.]*)/)?.[1].split(".").filter((other) => other && other !== id) ?? [];
  document.cookie = `mmdemo-yours=${[...known, id].slice(-20).join(".")}; path=/; max-age=31536000; samesite=strict`;
};
const remember = (id) => {
  if (id) own(id);
  draft = id;
  typed = null;
  try { id ? localStorage.setItem(KEY, id) : localStorage.removeItem(KEY); } catch (error) { /* as above */ }
};
const find = (selector) => element.querySelector(selector);

// Sending

const fresh = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
const part = (bar, share) => {
  bar.setAttribute("aria-valuenow", Math.round(100 * share));
  bar.firstElementChild.style.width = `${100 * share}%`;
};
const send = (id, name, file, moved) => new Promise((done, fail) => {
  const asked = new XMLHttpRequest();
  sending.request = asked;
  asked.open("POST", `yours/file/${id}/${name.split("/").map(encodeURIComponent).join("/")}`);
  asked.upload.onprogress = (event) => moved(event.loaded);
  asked.onerror = () => fail(words.failed);
  asked.onabort = () => fail("");
  asked.onload = () => {
    if (asked.status === 200) return done();
    try { fail(JSON.parse(asked.responseText).detail); } catch (error) { fail(words.failed); }
  };
  asked.send(file);
});
const sendAll = async (files) => {
  if (sending || !files.length) return;
  const limits = find("[data-largest]").dataset, bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  const refusal = files.length > limits.mostFiles ? words.many : bytes > limits.largest * 2 ** 20 ? words.large : "";
  find("[data-fault]").hidden = !refusal;
  find("[data-fault]").textContent = refusal;
  if (refusal) return;
  sending = { request: null };
  const id = fresh(), all = bytes || 1;
  let sent = 0, fault = "";
  find(".mm-sending").hidden = false;
  try {
    for (const [place, { name, file }] of files.entries()) {
      if (sending.stopped) throw "";
      find("[data-say]").textContent = fill(words.sending, place + 1, files.length);
      await send(id, name, file, (bytes) => part(find("[data-sent]"), Math.min(1, (sent + bytes) / all)));
      sent += file.size;
      part(find("[data-sent]"), Math.min(1, sent / all));
    }
    find("[data-say]").textContent = words.understanding;
    find("[data-abort]").hidden = true;
    remember(id);
    ask("read", { draft: id });
  } catch (error) {
    fault = String(error);
    find(".mm-sending").hidden = true;
    find("[data-fault]").hidden = !fault;
    find("[data-fault]").textContent = fault;
    ask("discard", { draft: id, quiet: "yes", fault });
  }
  sending = null;
};
const entriesOf = async (entry, into) => {
  if (entry.isFile) into.push({ name: entry.fullPath.replace(/^\//, ""), file: await new Promise((ok, no) => entry.file(ok, no)) });
  if (!entry.isDirectory) return;
  const reader = entry.createReader();
  for (let some; (some = await new Promise((ok, no) => reader.readEntries(ok, no))).length;) {
    for (const inner of some) await entriesOf(inner, into);
  }
};

element.addEventListener("dragover", (event) => {
  const drop = event.target.closest("[data-drop]");
  if (drop) { event.preventDefault(); drop.classList.add("mm-over"); }
});
element.addEventListener("dragleave", (event) => { event.target.closest("[data-drop]")?.classList.remove("mm-over"); });
element.addEventListener("drop", async (event) => {
  const drop = event.target.closest("[data-drop]");
  if (!drop) return;
  event.preventDefault();
  drop.classList.remove("mm-over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const plain = [...event.dataTransfer.files], files = [];
  for (const entry of entries) await entriesOf(entry, files);
  sendAll(files.length ? files : plain.map((file) => ({ name: file.name, file })));
});
element.addEventListener("change", (event) => {
  if (!event.target.matches("[data-files]")) return;
  sendAll([...event.target.files].map((file) => ({ name: file.webkitRelativePath || file.name, file })));
  event.target.value = "";
});

// The steps

element.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  if (at("[data-choose]")) return find(`[data-files="${at("[data-choose]").dataset.choose}"]`).click();
  if (at("[data-abort]") && sending) { sending.stopped = true; return sending.request.abort(); }
  if (at("[data-new]")) { remember(""); return ask("look", { draft }); }
  if (at("[data-taken]")) return ask("build", { draft, name: find("[name=name]").value, taken: at("[data-taken]").dataset.taken });
  const button = at("[data-act]");
  if (!button || !events.includes(button.dataset.act)) return;
  const of = button.dataset.draft || draft;
  if (button.dataset.act === "resume") remember(of);
  if (button.dataset.act === "discard" && of === draft) remember("");
  button.disabled = true;
  ask(button.dataset.act, { draft: of });
});
element.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target.matches("[data-columns]")) return ask("choose", { draft, ...Object.fromEntries(new FormData(event.target)) });
  ask("build", { draft, name: find("[name=name]").value });
});

// How far the build is

const show = ({ stage, done, total }) => {
  const counted = total > 0 && stage !== "saving" && stage !== "reading";
  const at = stages.indexOf(stage), share = (at + (counted ? done / total : 0)) / stages.length;
  const text = fill(words.step, at + 1, stages.length, names[stage].toLowerCase())
    + (stage === "encoding" && counted ? ` ${fill(words.counted, done, total)}` : "");
  const says = find("[data-stage]");
  if (says.textContent !== text) says.textContent = text;
  part(find("[data-bar]"), share);
  element.querySelectorAll(".mm-stages li").forEach((item, place) => {
    item.classList.toggle("mm-done", place < at);
    place === at ? item.setAttribute("aria-current", "step") : item.removeAttribute("aria-current");
  });
};
const follow = async () => {
  if (asking || !element.isConnected) return;
  const shown = find("[data-running]")?.dataset.running;
  if (!shown || shown === "no") return;
  asking = true;
  try {
    const said = await (await fetch(`yours/progress?draft=${draft}`)).json();
    const now = !said.running ? "no" : said.mine ? "mine" : "other";
    if (now !== shown) ask("look", { draft });
    else show(said);
  } catch (error) { /* the server is busy or gone; the next look tells */ }
  asking = false;
  clearTimeout(timer);
  timer = setTimeout(follow, 700);
};
element.addEventListener("input", (event) => { if (event.target.name === "name") typed = event.target.value; });
watch("value", () => {
  const answer = Number(find("[data-question]").dataset.question);
  // A look that a later answer overtook tells what is no longer so; whatever else was asked has news.
  if (answer < answered && asked[answer - 1] === "look") { props.value = drawn; return; }
  answered = Math.max(answer, answered);
  drawn = props.value;
  const name = find("[name=name]");
  if (name && typed !== null) name.value = typed;
  follow();
});
ask("look", { draft });
