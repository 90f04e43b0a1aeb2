// One listener for every button inside a component: data-act names the event that Python hears, the other data-*
// attributes travel with it. The names must stand here in quotes; Gradio reads them from this file.
const events = ["show", "like", "drop", "attempt", "facet", "clear", "turn", "take", "love", "dismiss", "unlove", "foryou", "forget", "back", "adjust", "revisit"];

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (!button || !element.contains(button) || button.matches("select") || !events.includes(button.dataset.act)) return;
  trigger(button.dataset.act, { answer: button.closest("[data-answer]")?.dataset.answer ?? "", ...button.dataset });
});
// A number on the photo leads to its row of answers.
element.addEventListener("click", (event) => {
  const row = document.getElementById(event.target.closest("[data-row]")?.dataset.row);
  row?.scrollIntoView({ behavior: "smooth" });
  row?.focus({ preventScroll: true });
});
element.addEventListener("change", (event) => {
  const { act } = event.target.dataset;
  if (events.includes(act)) trigger(act, { ...event.target.dataset, value: event.target.value });
});

// Words that change the search that is shown travel with the answers in their order, which "the second one" is one of.
let refining = false;
element.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-refine]"), said = form?.querySelector("input").value.trim();
  if (!form) return;
  event.preventDefault();
  refining = Boolean(said);
  if (said) trigger("adjust", { do: "refine", text: said, shown: [...element.querySelectorAll(".mm-card")].map((card) => card.dataset.id) });
});

// The address always names the search that is shown: a link to it is the address, and each search is a step of the
// browser's history. Parameters of the page itself stay.
let arriving = false, written = location.search; // an answer to an address that was opened corrects it, and is no new step
const ofThePage = (name) => name.startsWith("__") || name === "lang" || name === "present";
const address = () => {
  const shown = element.querySelector("[data-link]");
  if (!shown) return;
  const query = new URLSearchParams(shown.dataset.link);
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (ofThePage(name)) query.append(name, value);
  }
  const said = query.toString().replace("present=&", "present&").replace(/present=$/, "present");
  written = said ? `?${said}` : "";
  const step = arriving ? "replaceState" : "pushState";
  arriving = false;
  if (written !== location.search) history[step](history.state, "", location.pathname + written + location.hash);
};
if (element.querySelector("[data-link]")) addEventListener("popstate", () => {
  if (location.search === written) return; // another tab or product, which have their own place in the address
  arriving = true;
  written = location.search;
  trigger("revisit", { link: location.search });
});
// Of a long trail the step that is shown is in sight; the page itself stays where it is.
const follow = () => {
  const step = element.querySelector("[aria-current=step]"), row = step?.closest("ol");
  if (row) row.scrollLeft += step.getBoundingClientRect().left - row.getBoundingClientRect().left - 40;
};
const goOn = () => {
  const field = refining && element.querySelector("[data-refine] input");
  refining = false;
  if (!field) return;
  field.value = "";
  field.focus({ preventScroll: true });
};
watch("value", () => { address(); follow(); goOn(); document.dispatchEvent(new Event("mm-drawn")); });

const copy = async (text) => {
  try { return await navigator.clipboard.writeText(text); } catch (error) { /* not allowed, or no https: the old way */ }
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
};
element.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await copy(location.href);
  const said = button.firstElementChild, before = said.textContent;
  if (before === button.dataset.copy) return;
  said.textContent = button.dataset.copy;
  setTimeout(() => { said.textContent = before; }, 2500);
});

// A page that is opened at a link to a search shows where its answer will be, and not the first page meanwhile.
if (element.querySelector(".mm-welcome") && [...new URLSearchParams(location.search).keys()].some((name) => !ofThePage(name))) {
  element.classList.add("mm-awaited"); // until the page's first events are answered
  arriving = true;
}

// Which panels stand open is remembered here, because redrawing closes them. The outer one starts folded on a phone.
const open = new Set(window.innerWidth >= 900 ? ["facets"] : []);
const keep = () => element.querySelectorAll("[data-keep]").forEach((panel) => { panel.open = open.has(panel.dataset.keep); });
element.addEventListener("toggle", (event) => {
  const name = event.target.dataset.keep;
  if (name) event.target.open ? open.add(name) : open.delete(name);
}, true);
watch("value", keep);
keep();

// A presenter's page (?present): forms and footers hidden, large type, and the arrow keys go through the examples.
if (element.querySelector(".mm-welcome") && new URLSearchParams(location.search).has("present")) {
  document.body.classList.add("mm-present");
  const examples = [...element.querySelectorAll("[data-act=attempt]")].map((start) => start.dataset.number);
  let at = -1;
  addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 1, PageUp: -1 }[event.key]; // a presenter's remote sends pages
    if (!step || !examples.length || document.querySelector("dialog[open]") || event.target.closest("input, textarea, select, [role=tab]")) return;
    event.preventDefault();
    at = (Math.max(at, step < 0 ? 0 : -1) + step + examples.length) % examples.length;
    trigger("attempt", { number: examples[at] });
  });
}
