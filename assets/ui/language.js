// The first thing that a page runs. A browser that speaks Chinese goes from an English page to the Chinese one beside it,
// unless its owner chose by hand; on either page Gradio's own words, which follow the browser, follow the page instead.
(() => {
  const zh = document.currentScript.dataset.zh;
  let chosen = null;
  try { chosen = localStorage.getItem("mmdemo-language"); } catch (error) { /* storage may be closed to us */ }
  if (zh && (chosen || navigator.language).toLowerCase().startsWith("zh")) location.replace(zh + location.search + location.hash);
  const language = document.documentElement.lang === "zh" ? "zh-CN" : "en";
  Object.defineProperty(navigator, "language", { configurable: true, get: () => language });
})();
