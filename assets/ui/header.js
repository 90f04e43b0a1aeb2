// Light or dark: the choice is remembered in this browser; without one, the system decides. So is the language.
// Listeners sit on the component, since its inside is drawn anew when a catalogue has come or gone.
const root = document.body;
const keep = (name, value) => {
  try { localStorage.setItem(name, value); } catch (error) { /* storage may be closed to us; the switch still works for this visit */ }
};
try {
  const kept = localStorage.getItem("mmdemo-theme");
  if (kept && !new URLSearchParams(location.search).has("__theme")) root.classList.toggle("dark", kept === "dark");
} catch (error) { /* as above */ }
element.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-toggle]")) keep("mmdemo-theme", root.classList.toggle("dark") ? "dark" : "light");
  const other = event.target.closest("[data-language]");
  if (other) {
    keep("mmdemo-language", other.dataset.language);
    other.search = location.search; // the same question, in the other language
    other.hash = location.hash;
  }
});
const { lang, gradio } = element.querySelector("[data-lang]").dataset;
document.documentElement.lang = lang;

// Some of Gradio's controls have English names in every language.
const names = Object.entries(JSON.parse(gradio));
const rename = () => names.forEach(([name, ours]) => document.querySelectorAll(`[aria-label^="${name}"]`).forEach((control) => {
  control.setAttribute("aria-label", control.getAttribute("aria-label").replace(name, ours));
}));
if (lang !== "en") {
  new MutationObserver(rename).observe(document.body, { childList: true, subtree: true });
  rename();
}

// The tab that is open stands in the address. Going back or forth opens the one that stood there.
const tab = (name) => document.querySelector(`#mm-tabs .tab-container:not(.visually-hidden) [data-tab-id="${CSS.escape(name)}"]`);
const toPlace = () => {
  const wanted = tab(mmPlace.read().tab);
  if (wanted?.getAttribute("aria-selected") === "false") wanted.click();
};
const arrivedAt = location.hash;
document.addEventListener("mm-opened", () => { // before it the tabs are still being set up
  const note = () => {
    const open = document.querySelector('#mm-tabs .tab-container:not(.visually-hidden) [aria-selected="true"]')?.dataset.tabId;
    if (open && open !== mmPlace.read().tab) mmPlace.go({ tab: open });
  };
  arrivedAt ? toPlace() : note(); // a tab may have been opened meanwhile
  addEventListener("popstate", toPlace);
  new MutationObserver(note).observe(document.getElementById("mm-tabs"), { attributes: true, subtree: true, attributeFilter: ["aria-selected"] });
}, { once: true });

// Gradio's sliders speak when the pointer lets go of them; keys let go too.
document.addEventListener("keyup", (event) => {
  if (event.target.matches("input[type=range]")) event.target.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
});

// A long sentence is counted while it is typed; one that is too long is never cut, and the search says so.
document.addEventListener("input", ({ target }) => {
  const field = target.closest("#mm-text :is(input, textarea), .mm-refine input");
  if (!field) return;
  const { longest, count } = element.querySelector("[data-longest]").dataset, length = [...field.value].length;
  const place = field.closest("form, .block");
  const told = place.querySelector(".mm-typed") ?? place.appendChild(Object.assign(document.createElement("p"), { className: "mm-hint mm-typed" }));
  told.hidden = length < 0.8 * longest;
  told.classList.toggle("mm-over", length > longest);
  told.setAttribute("role", "status");
  told.textContent = told.hidden ? "" : count.replace("%1", length.toLocaleString()).replace("%2", Number(longest).toLocaleString());
});
