// Light or dark: the choice is remembered in this browser; without one, the system decides.
const root = document.body;
try {
  const kept = localStorage.getItem("mmdemo-theme");
  if (kept && !new URLSearchParams(location.search).has("__theme")) root.classList.toggle("dark", kept === "dark");
} catch (error) { /* storage may be closed to us; the switch still works for this visit */ }
element.querySelector("[data-theme-toggle]").addEventListener("click", () => {
  const dark = root.classList.toggle("dark");
  try { localStorage.setItem("mmdemo-theme", dark ? "dark" : "light"); } catch (error) { /* as above */ }
});
