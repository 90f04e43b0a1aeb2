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
