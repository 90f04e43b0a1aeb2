// A grade by key or by click. The answer that is on the page travels with it, so that a key held down grades one only.
const grade = (letter) => {
  const shown = element.querySelector("[data-item]");
  if (shown) trigger("grade", { grade: letter, item: shown.dataset.item });
};
document.addEventListener("keydown", (event) => {
  const letter = event.key.toUpperCase();
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") || !element.checkVisibility()) return;
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !"ESCI".includes(letter) || letter.length !== 1) return;
  event.preventDefault();
  grade(letter);
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-grade]");
  if (button) grade(button.dataset.grade);
});
