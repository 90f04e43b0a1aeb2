// The product page: a modal dialog that Python fills; it remembers the way back from similar to similar.
const dialog = element.querySelector("dialog");
const body = element.querySelector(".mm-dialog-body");
const back = element.querySelector("[data-back]");
const trail = [];
let latest = 0n; // when the page drawn last was made: its reasons, or those of one before, may come after it is closed
const events = ["show", "like"];

const draw = () => {
  if (!props.value) return;
  const fresh = document.createElement("div");
  fresh.innerHTML = props.value;
  const page = fresh.querySelector("[data-id]");
  if (!page) return;
  // The reasons arrive after the product, and again once they are checked: only their part of the page changes then.
  const shown = body.querySelector("[data-id]");
  if (shown && shown.dataset.time === page.dataset.time) { // closed meanwhile, it stays closed
    const why = shown.querySelector(".mm-why-slot"), next = page.querySelector(".mm-why-slot");
    if (why && next) why.replaceChildren(...next.childNodes);
    return;
  }
  if (BigInt(page.dataset.time) <= latest) return; // of a page that another one has replaced
  latest = BigInt(page.dataset.time);
  body.replaceChildren(...fresh.childNodes);
  if (trail[trail.length - 1] !== page.dataset.id) trail.push(page.dataset.id);
  back.hidden = trail.length < 2;
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  mmPlace.go({ product: page.dataset.id });
};
watch("value", draw);

// The product that is open stands in the address. Going back or forth opens the one that stood there, or closes it.
const toPlace = () => {
  const { product } = mmPlace.read();
  if (!product) dialog.close();
  else if (!dialog.open || body.querySelector("[data-id]")?.dataset.id !== product) trigger("show", { id: product });
};
addEventListener("popstate", toPlace);
if (mmPlace.read().product) document.addEventListener("mm-opened", toPlace, { once: true });

dialog.addEventListener("close", () => { trail.length = 0; mmPlace.go({ product: "" }); });
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("[data-close]")) return dialog.close();
  if (event.target.closest("[data-back]")) {
    trail.pop();
    return trigger("show", { id: trail[trail.length - 1] });
  }
  const view = event.target.closest("[data-view]");
  if (view) {
    body.querySelector(".mm-large img").src = view.dataset.view;
    for (const other of body.querySelectorAll("[data-view]")) other.setAttribute("aria-pressed", other === view);
    return;
  }
  const button = event.target.closest("[data-act]");
  if (!button || !events.includes(button.dataset.act)) return;
  trigger(button.dataset.act, { ...button.dataset });
  if (button.dataset.act === "like") dialog.close();
});
