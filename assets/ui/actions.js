// One listener for every button inside a component: data-act names the event that Python hears, the other data-*
// attributes travel with it. The names must stand here in quotes; Gradio reads them from this file.
const events = ["show", "like", "drop", "attempt", "facet", "clear", "turn", "take", "love", "dismiss", "unlove", "foryou", "forget", "back", "adjust"];

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (!button || !element.contains(button) || button.matches("select") || !events.includes(button.dataset.act)) return;
  trigger(button.dataset.act, { ...button.dataset });
});
element.addEventListener("change", (event) => {
  const { act } = event.target.dataset;
  if (events.includes(act)) trigger(act, { ...event.target.dataset, value: event.target.value });
});

// The address always names the search that is shown: a link to it is the address. Parameters of the page itself stay.
const address = () => {
  const shown = element.querySelector("[data-link]");
  if (!shown) return;
  const query = new URLSearchParams(shown.dataset.link);
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (name.startsWith("__") || name === "lang") query.append(name, value);
  }
  const said = query.toString();
  history.replaceState(history.state, "", location.pathname + (said ? `?${said}` : "") + location.hash);
};
// Of a long trail the step that is shown is in sight; the page itself stays where it is.
const follow = () => {
  const step = element.querySelector("[aria-current=step]"), row = step?.closest("ol");
  if (row) row.scrollLeft += step.getBoundingClientRect().left - row.getBoundingClientRect().left - 40;
};
watch("value", () => { address(); follow(); document.dispatchEvent(new Event("mm-drawn")); });

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
if (element.querySelector(".mm-welcome") && [...new URLSearchParams(location.search).keys()].some((name) => !name.startsWith("__") && name !== "lang")) {
  element.classList.add("mm-awaited");
  watch("value", () => element.classList.remove("mm-awaited"));
  setTimeout(() => element.classList.remove("mm-awaited"), 8000);
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
