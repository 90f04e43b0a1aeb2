// The product page: a modal dialog that Python fills; it remembers the way back from similar to similar.
const dialog = element.querySelector("dialog");
const body = element.querySelector(".mm-dialog-body");
const back = element.querySelector("[data-back]");
const trail = [];
const events = ["show", "like"];

const draw = () => {
  if (!props.value) return;
  body.innerHTML = props.value;
  const page = body.querySelector("[data-id]");
  if (!page) return;
  if (trail[trail.length - 1] !== page.dataset.id) trail.push(page.dataset.id);
  back.hidden = trail.length < 2;
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
};
watch("value", draw);

dialog.addEventListener("close", () => { trail.length = 0; });
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("[data-close]")) return dialog.close();
  if (event.target.closest("[data-back]")) {
    trail.pop();
    return trigger("show", { id: trail[trail.length - 1] });
  }
  const button = event.target.closest("[data-act]");
  if (!button || !events.includes(button.dataset.act)) return;
  trigger(button.dataset.act, { ...button.dataset });
  if (button.dataset.act === "like") dialog.close();
});
