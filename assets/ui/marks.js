// The marks on the photo lie over it, wherever Gradio draws it. A tap on one asks for what is in its box; a box may also
// be drawn, moved and resized, by mouse, finger or arrow keys. Python hears the box of each as "look".
const LEAST = 0.05; // of the photo's sides
const STEP = 0.02; // of them, an arrow key
const form = element.closest("#mm-query"); // Gradio may draw the photo later than this, and anew
const scene = () => element.querySelector(".mm-scene");
const frame = () => element.querySelector(".mm-frame");

const place = () => {
  const over = scene(), picture = form.querySelector("#mm-photo img");
  if (!over) return;
  over.hidden = !picture?.naturalWidth;
  if (over.hidden) return;
  const around = picture.getBoundingClientRect(), home = element.getBoundingClientRect();
  const scale = Math.min(around.width / picture.naturalWidth, around.height / picture.naturalHeight);
  const wide = picture.naturalWidth * scale, high = picture.naturalHeight * scale;
  over.style.left = `${around.left + (around.width - wide) / 2 - home.left}px`;
  over.style.top = `${around.top + (around.height - high) / 2 - home.top}px`;
  over.style.width = `${wide}px`;
  over.style.height = `${high}px`;
};
new ResizeObserver(place).observe(form);
form.addEventListener("load", place, true);

// The box of the frame, [left, top, right, bottom] as shares of the photo.
let box = null, asked = "";
const said = () => box.map((edge) => edge.toFixed(3)).join(",");
const show = (edges) => {
  box = edges;
  const [left, top, right, bottom] = edges, over = frame();
  over.hidden = false;
  Object.assign(over.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%` });
};
const look = (edges) => {
  if (edges === asked) return;
  asked = edges;
  trigger("look", { box: edges });
};
const begin = () => {
  const over = scene();
  asked = over?.dataset.box ?? "";
  if (!over) return;
  if (over.dataset.framed) show(asked.split(",").map(Number));
  place();
};
watch("value", begin);
begin();

const between = (low, value, high) => Math.min(high, Math.max(low, value));
const moved = ([left, top, right, bottom], x, y) => {
  const dx = between(-left, x, 1 - right), dy = between(-top, y, 1 - bottom);
  return [left + dx, top + dy, right + dx, bottom + dy];
};
// The corner "nw", "ne", "sw" or "se" is pulled by x, y.
const pulled = ([left, top, right, bottom], corner, x, y) => [
  corner.includes("w") ? between(0, left + x, right - LEAST) : left,
  corner.includes("n") ? between(0, top + y, bottom - LEAST) : top,
  corner.includes("e") ? between(left + LEAST, right + x, 1) : right,
  corner.includes("s") ? between(top + LEAST, bottom + y, 1) : bottom,
];

const drawing = (on) => {
  scene().classList.toggle("mm-drawing", on);
  element.querySelector("[data-draw]").setAttribute("aria-pressed", on);
};
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || !element.contains(button)) return;
  if (button.dataset.look) look(button.dataset.look);
  if (button.hasAttribute("data-all")) trigger("everything", {});
  if (button.hasAttribute("data-draw")) {
    const on = !scene().classList.contains("mm-drawing");
    drawing(on);
    if (on && !event.detail) { // by the keyboard: a box in the middle, which the arrow keys take from there
      if (frame().hidden) show([0.25, 0.25, 0.75, 0.75]);
      frame().focus();
    }
  }
});

// Mouse and finger: `start` is where the pointer went down, `from` the box then, `corner` what is pulled ("" moves it all).
let start = null, from = null, corner = "", drawn = false;
const at = (event) => {
  const around = scene().getBoundingClientRect();
  return [between(0, (event.clientX - around.left) / around.width, 1), between(0, (event.clientY - around.top) / around.height, 1)];
};
element.addEventListener("pointerdown", (event) => {
  const over = event.target.closest(".mm-scene");
  if (!over || event.button || event.target.closest("button")) return;
  const held = event.target.closest(".mm-frame");
  if (!held && !over.classList.contains("mm-drawing")) return;
  event.preventDefault();
  start = at(event);
  drawn = over.classList.contains("mm-drawing");
  corner = drawn ? "" : event.target.dataset.corner ?? "";
  from = box;
  over.setPointerCapture(event.pointerId);
});
element.addEventListener("pointermove", (event) => {
  if (!start) return;
  const [x, y] = at(event);
  if (drawn) {
    if (Math.abs(x - start[0]) >= LEAST && Math.abs(y - start[1]) >= LEAST)
      show([Math.min(x, start[0]), Math.min(y, start[1]), Math.max(x, start[0]), Math.max(y, start[1])]);
  } else show(corner ? pulled(from, corner, x - start[0], y - start[1]) : moved(from, x - start[0], y - start[1]));
});
const end = (event) => {
  if (!start) return;
  start = null;
  if (event.type === "pointercancel" || box === from) return;
  drawing(false);
  look(said());
};
element.addEventListener("pointerup", end);
element.addEventListener("pointercancel", end);

element.addEventListener("keydown", (event) => {
  if (!event.target.matches(".mm-frame")) return;
  const [x, y] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] ?? [0, 0];
  if (x || y) show(event.shiftKey ? pulled(box, "se", x, y) : moved(box, x, y));
  else if (event.key === "Enter" || event.key === " ") {
    drawing(false);
    look(said());
  } else return;
  event.preventDefault();
});
