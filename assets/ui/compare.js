// Which products are picked to compare: known here alone, and kept while the results are redrawn.
const MOST = 4;
const events = ["compare"];
const tray = element.querySelector(".mm-tray");
const row = element.querySelector(".mm-tray-picks");
const said = element.querySelector(".mm-tray-said");
const go = element.querySelector("[data-go]");
const dialog = element.querySelector("dialog");
const body = element.querySelector(".mm-compare-body");
const picks = new Map(); // id -> {title, picture}
let asked = false;

const mark = () => {
  for (const button of document.querySelectorAll("[data-compare]")) {
    const on = String(picks.has(button.dataset.compare));
    if (button.getAttribute("aria-pressed") !== on) button.setAttribute("aria-pressed", on);
  }
};
const draw = () => {
  tray.hidden = !picks.size;
  document.body.classList.toggle("mm-picking", picks.size > 0);
  go.disabled = picks.size < 2;
  said.textContent = picks.size === 1 ? said.dataset.one : "";
  row.replaceChildren(...[...picks].map(([id, { title, picture }]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.unpick = id;
    button.title = `${said.dataset.out} ${title}`;
    button.setAttribute("aria-label", button.title);
    if (picture) button.append(Object.assign(new Image(), { src: picture, alt: "" }));
    else button.textContent = title.slice(0, 1);
    return button;
  }));
  mark();
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-compare]");
  if (!button) return;
  const id = button.dataset.compare, card = button.closest(".mm-card");
  if (picks.has(id)) picks.delete(id);
  else if (picks.size >= MOST) { said.textContent = said.dataset.most; return; }
  else picks.set(id, { title: card.querySelector(".mm-title").textContent, picture: card.querySelector(".mm-pic img")?.src });
  draw();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("#mm-reset")) { picks.clear(); draw(); }
});
element.addEventListener("click", (event) => {
  const unpick = event.target.closest("[data-unpick]");
  if (unpick) { picks.delete(unpick.dataset.unpick); draw(); row.firstElementChild?.focus(); }
  else if (event.target.closest("[data-empty]")) { picks.clear(); draw(); }
  else if (event.target === dialog || event.target.closest("[data-shut]")) dialog.close();
  else if (event.target.closest("[data-go]")) { asked = true; trigger("compare", { ids: [...picks.keys()] }); }
});
watch("value", () => {
  if (!asked || !props.value) return;
  asked = false;
  body.innerHTML = props.value; // made by a template that escaped every word
  if (!dialog.open) dialog.showModal();
});
document.addEventListener("mm-drawn", mark); // cards were drawn anew
