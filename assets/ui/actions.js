// One listener for every button inside a component: data-act names the event that Python hears, the other data-*
// attributes travel with it. The names must stand here in quotes; Gradio reads them from this file.
const events = ["show", "like", "drop", "attempt", "facet", "clear", "turn", "take", "love", "dismiss", "unlove", "foryou", "forget"];

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (!button || !element.contains(button) || !events.includes(button.dataset.act)) return;
  trigger(button.dataset.act, { ...button.dataset });
});

// Which panels stand open is remembered here, because redrawing closes them. The outer one starts folded on a phone.
const open = new Set(window.innerWidth >= 900 ? ["facets"] : []);
const keep = () => element.querySelectorAll("[data-keep]").forEach((panel) => { panel.open = open.has(panel.dataset.keep); });
element.addEventListener("toggle", (event) => {
  const name = event.target.dataset.keep;
  if (name) event.target.open ? open.add(name) : open.delete(name);
}, true);
watch("value", keep);
keep();
