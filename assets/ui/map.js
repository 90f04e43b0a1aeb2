// The map: points on a canvas, drawn and moved here; Python lays them out and hears what is opened.
const events = ["show", "space"]; // named here in quotes, since Gradio reads them from this file
const find = (what) => element.querySelector(what);
const stage = find(".mm-atlas-view"), canvas = find("canvas"), sheet = canvas.getContext("2d"), stencil = document.createElement("canvas");
let ink = sheet;
const tip = find(".mm-atlas-tip"), list = find(".mm-atlas-list"), legend = find(".mm-atlas-legend");
const select = find("[data-facet]"), wait = find(".mm-atlas-wait"), said = find(".mm-atlas-said");
const NEAR = 20, REACH = 16, PICTURES = 48, EDGE = 34, TURN = 137.5, STRETCH = 1.6;
let map = null, at = [], facet = null, looks = [], labels = [], only = new Set();
let view = { scale: 1, x: 0, y: 0 }, unit = [1, 1], wide = 0, high = 0, hovered = -1, focused = -1, wanted = false, touched = false;
const pictures = new Map();
const out = (row) => Boolean(map.query?.passing) && map.query.passing[row] !== "1"; // of what the query's conditions leave
let lasso = null, choosing = false; // the points of the line that is being drawn around some, and whether the next drag draws one

// Where things are. The axes of the plane mean nothing by themselves, so it may be stretched a little to fill the stage.
const screen = (x, y) => [view.x + x * unit[0] * view.scale, view.y + (1 - y) * unit[1] * view.scale];
const fit = () => {
  const there = at.filter(Boolean), room = [wide - 2 * EDGE, high - 2 * EDGE];
  const low = [0, 1].map((k) => there.reduce((least, p) => Math.min(least, p[k]), 1));
  const span = [0, 1].map((k) => Math.max(there.reduce((most, p) => Math.max(most, p[k]), 0) - low[k], 0.05));
  unit = [0, 1].map((k) => room[k] / span[k]);
  unit = [Math.min(unit[0], unit[1] * STRETCH), Math.min(unit[1], unit[0] * STRETCH)];
  view = { scale: 1, x: wide / 2 - (low[0] + span[0] / 2) * unit[0], y: high / 2 - (1 - low[1] - span[1] / 2) * unit[1] };
};
const zoom = (by, x = wide / 2, y = high / 2) => {
  const scale = Math.min(60, Math.max(0.5, view.scale * by)), real = scale / view.scale;
  view = { scale, x: x - (x - view.x) * real, y: y - (y - view.y) * real };
  draw();
};
const hit = (x, y, reach) => {
  let best = -1, least = reach * reach;
  at.forEach((p, row) => {
    if (!p || out(row)) return;
    const [sx, sy] = screen(...p), d = (sx - x) ** 2 + (sy - y) ** 2;
    if (d < least) { least = d; best = row; }
  });
  return best;
};

// How it looks
const token = (name) => getComputedStyle(element).getPropertyValue(name).trim();
const hue = (n, dark) => `hsl(${Math.round(n * TURN) % 360} ${dark ? 62 : 58}% ${[dark ? 64 : 44, dark ? 52 : 58, dark ? 76 : 33][n % 3]}%)`;
const isDark = () => document.body.classList.contains("dark");
const paint = () => { looks = facet ? facet.values.map((_, n) => facet.looks[n] || (facet.looks.length ? token("--mm-soft") : hue(n, isDark()))) : []; };
const picture = (row) => {
  if (map.pictures[row] !== "1") return null;
  if (!pictures.has(row)) {
    const image = new Image();
    image.onload = () => draw();
    image.src = address(row);
    pictures.set(row, image);
  }
  const image = pictures.get(row);
  return image.complete && image.naturalWidth ? image : null;
};
const address = (row) => `${map.address}/${encodeURIComponent(map.ids[row])}`;
const disc = (x, y, r) => { ink.beginPath(); ink.arc(x, y, r, 0, 7); };
const thumb = (image, x, y, side, edge, width) => {
  ink.save();
  ink.beginPath();
  ink.roundRect(x - side / 2, y - side / 2, side, side, side / 6);
  ink.save(); ink.clip();
  const fill = side / Math.min(image.naturalWidth, image.naturalHeight);
  ink.drawImage(image, x - image.naturalWidth * fill / 2, y - image.naturalHeight * fill / 2, image.naturalWidth * fill, image.naturalHeight * fill);
  ink.restore();
  ink.lineWidth = width; ink.strokeStyle = edge; ink.stroke();
  ink.restore();
};
// The points are kept as a picture: under a moving mouse only what is marked is drawn again.
let due = 0, stale = true, kept = null;
const draw = (moved = true) => {
  stale ||= moved;
  if (!due) due = requestAnimationFrame(() => { due = 0; paintAll(); });
};
const paintAll = () => {
  if (!map || !wide) return;
  const ratio = devicePixelRatio || 1;
  if (stale) kept = paintPoints(ratio);
  stale = false;
  sheet.setTransform(1, 0, 0, 1, 0, 0);
  sheet.clearRect(0, 0, canvas.width, canvas.height);
  sheet.drawImage(stencil, 0, 0);
  sheet.setTransform(ratio, 0, 0, ratio, 0, 0);
  ink = sheet;
  for (const row of new Set([focused, hovered])) {
    if (row < 0 || !at[row]) continue;
    const [x, y] = screen(...at[row]);
    ink.lineWidth = 3; ink.strokeStyle = kept.colours.ink;
    if (kept.close) { ink.beginPath(); ink.roundRect(x - 27, y - 27, 54, 54, 10); } else disc(x, y, kept.r + 4);
    ink.stroke();
  }
  if (!lasso) return;
  ink.lineWidth = 2; ink.strokeStyle = ink.fillStyle = kept.colours.accent;
  ink.beginPath(); lasso.forEach(([x, y]) => ink.lineTo(x, y)); ink.closePath();
  ink.globalAlpha = 0.12; ink.fill();
  ink.globalAlpha = 1; ink.stroke();
};
const paintPoints = (ratio) => {
  [stencil.width, stencil.height] = [canvas.width, canvas.height];
  ink = stencil.getContext("2d");
  ink.setTransform(ratio, 0, 0, ratio, 0, 0);
  const colours = { ink: token("--mm-ink"), line: token("--mm-line"), card: token("--mm-card"), soft: token("--mm-soft"), accent: token("--mm-accent"), pic: token("--mm-pic") };
  const seen = [];
  at.forEach((p, row) => {
    if (!p) return;
    const [x, y] = screen(...p);
    if (x > -40 && y > -40 && x < wide + 40 && y < high + 40) seen.push([row, x, y]);
  });
  const many = at.length > 4000, close = seen.length <= PICTURES && seen.length < at.length;
  const r = Math.min(9, (many ? 2 : at.length > 900 ? 3.2 : 4.6) * Math.sqrt(Math.max(1, view.scale)) * (wide < 500 ? 0.8 : 1));
  const alive = (row) => !out(row) && (!only.size || only.has(facet?.codes[row]));
  ink.lineWidth = many ? 0.5 : 1;
  ink.strokeStyle = isDark() ? "rgb(255 255 255 / .45)" : "rgb(28 25 23 / .35)";
  for (const [row, x, y] of seen) {
    const code = facet ? facet.codes[row] : -1;
    ink.globalAlpha = alive(row) ? 1 : 0.1;
    const image = close && alive(row) ? picture(row) : null;
    if (image) { thumb(image, x, y, 46, looks[code] || colours.line, 3); continue; }
    ink.fillStyle = looks[code] || colours.soft;
    if (many && r < 4) { ink.fillRect(x - r, y - r, 2 * r, 2 * r); continue; }
    disc(x, y, r);
    ink.fill();
    ink.stroke();
  }
  ink.globalAlpha = 1;
  if (!close) write(colours);
  if (map.query) query(colours, r, close);
  return { colours, close, r };
};
const write = (colours) => {
  const taken = [];
  ink.font = "700 12.5px 'IBM Plex Sans', system-ui, sans-serif";
  ink.textAlign = "center"; ink.textBaseline = "middle";
  for (const { text, x, y } of labels) {
    const [sx, sy] = screen(x, y), half = ink.measureText(text).width / 2 + 4;
    if (sx - half < 0 || sx + half > wide || sy < 10 || sy > high - 10) continue;
    if (taken.some(([a, b, c]) => Math.abs(a - sx) < half + c && Math.abs(b - sy) < 17)) continue;
    taken.push([sx, sy, half]);
    ink.lineWidth = 4; ink.lineJoin = "round"; ink.strokeStyle = colours.card;
    ink.strokeText(text, sx, sy);
    ink.fillStyle = colours.ink;
    ink.fillText(text, sx, sy);
  }
};
const query = (colours, r, close) => {
  const [x, y] = screen(map.query.x / map.grid, map.query.y / map.grid);
  ink.strokeStyle = colours.accent; ink.fillStyle = colours.accent;
  map.query.answers.forEach((row, n) => {
    if (!at[row]) return;
    const [ax, ay] = screen(...at[row]);
    ink.lineWidth = n ? 1.5 : 3; ink.globalAlpha = n ? 0.6 : 1;
    ink.beginPath(); ink.moveTo(x, y); ink.lineTo(ax, ay); ink.stroke();
    ink.globalAlpha = 1; ink.lineWidth = 2.5;
    if (close) { ink.beginPath(); ink.roundRect(ax - 25, ay - 25, 50, 50, 9); } else disc(ax, ay, r + 2.5);
    ink.stroke();
  });
  const image = map.query.image;
  if (image?.complete && image.naturalWidth) return thumb(image, x, y, 44, colours.accent, 4);
  ink.beginPath();
  for (let k = 0; k < 10; k += 1) ink.lineTo(x + (k % 2 ? 5 : 12) * Math.sin(k * Math.PI / 5), y - (k % 2 ? 5 : 12) * Math.cos(k * Math.PI / 5));
  ink.closePath(); ink.lineWidth = 4; ink.strokeStyle = colours.card; ink.stroke(); ink.fill();
};

// What it says
const button = (text, act) => Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick: act });
const item = (inside) => { const li = document.createElement("li"); li.append(inside); return li; };
const open = (row) => trigger("show", { id: map.ids[row] });
const MOST = 200; // of what is chosen that the list holds
const near = find("[data-near]"), chosen = find("[data-chosen]");
const enclosed = () => {
  const area = new Path2D();
  lasso.forEach(([x, y]) => area.lineTo(x, y));
  area.closePath();
  sheet.setTransform(1, 0, 0, 1, 0, 0);
  const rows = at.flatMap((p, row) => p && !out(row) && (!only.size || only.has(facet?.codes[row])) && sheet.isPointInPath(area, ...screen(...p)) ? [row] : []);
  near.hidden = true; chosen.hidden = false;
  said.textContent = chosen.textContent = chosen.dataset.text.replace("%1", rows.length);
  list.replaceChildren(...rows.slice(0, MOST).map((row) => item(button(map.titles[row], () => open(row)))));
};
const choose = (on) => {
  choosing = on;
  find("[data-lasso]").setAttribute("aria-pressed", String(on));
  stage.style.cursor = on ? "crosshair" : "grab";
};
const focus = (row, loud = true) => {
  near.hidden = false; chosen.hidden = true;
  focused = row;
  find("[data-focus]").textContent = row < 0 ? "" : map.titles[row];
  const others = row < 0 ? [] : at.map((p, n) => [p ? (p[0] - at[row][0]) ** 2 + (p[1] - at[row][1]) ** 2 : 9, n])
    .filter(([d, n]) => d < 9 && n !== row && !out(n)).sort((a, b) => a[0] - b[0]).slice(0, NEAR);
  list.replaceChildren(...(row < 0 ? [] : [row, ...others.map(([, n]) => n)]).map((n) => item(button(map.titles[n], () => open(n)))));
  if (loud) said.textContent = row < 0 ? "" : map.titles[row];
  draw();
};
const hover = (row) => {
  hovered = row;
  tip.hidden = row < 0;
  if (row >= 0) {
    const [x, y] = screen(...at[row]), image = tip.querySelector("img");
    image.hidden = map.pictures[row] !== "1";
    if (!image.hidden) image.src = address(row);
    tip.querySelector("b").textContent = map.titles[row];
    tip.style.left = `${Math.min(Math.max(x, 80), wide - 80)}px`;
    tip.style.top = `${y}px`;
    tip.classList.toggle("mm-below", y < 210);
  }
  stage.style.cursor = choosing ? "crosshair" : row < 0 ? "grab" : "pointer";
  draw(false);
};
const colour = () => {
  facet = map.facets[Number(select.value)] || null;
  only = new Set();
  paint();
  find("[data-legend-title]").textContent = facet ? select.selectedOptions[0].textContent : "";
  legend.replaceChildren(...(facet ? facet.values : []).map((value, n) => {
    const one = button("", () => {
      only.has(n) ? only.delete(n) : only.add(n);
      one.setAttribute("aria-pressed", String(only.has(n)));
      draw();
    });
    one.setAttribute("aria-pressed", "false");
    const dot = document.createElement("i"), count = document.createElement("small");
    dot.style.background = looks[n];
    count.textContent = facet.counts[n];
    one.append(dot, value, " ", count);
    return item(one);
  }));
  // A name is written where most of what bears it lies together.
  const middle = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
  labels = (facet && !facet.looks.length ? facet.values : []).map((text, n) => {
    const mine = at.filter((p, row) => p && facet.codes[row] === n);
    if (mine.length < 2) return null;
    const x = middle(mine.map((p) => p[0])), y = middle(mine.map((p) => p[1]));
    return { text, x, y, spread: middle(mine.map((p) => Math.hypot(p[0] - x, p[1] - y))) };
  }).filter((label) => label && label.spread < 0.1);
  draw();
};
const receive = () => {
  if (!props.value) return;
  const fresh = JSON.parse(props.value), kept = select.value, same = map && map.ids.length === fresh.ids.length && map.space === fresh.space;
  map = fresh;
  if (!same) pictures.clear();
  at = map.ids.map((_, row) => map.xy[2 * row] < 0 ? null : [map.xy[2 * row] / map.grid, map.xy[2 * row + 1] / map.grid]);
  if (map.query?.picture) {
    map.query.image = new Image();
    map.query.image.onload = () => draw();
    map.query.image.src = map.query.picture;
  }
  select.replaceChildren(...map.facets.map((one, n) => new Option(one.label, n)));
  select.value = kept && map.facets[kept] ? kept : String(map.clearest);
  select.closest("label").hidden = !map.facets.length;
  wait.hidden = true;
  element.querySelectorAll("[data-space]").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.space === map.space)));
  element.querySelectorAll("[data-lead]").forEach((one) => { one.hidden = one.dataset.lead !== map.space; });
  find("[data-yours]").hidden = !map.query;
  find("[data-passing]").hidden = !map.query?.passing;
  find("[data-passing]").textContent = find("[data-passing]").dataset.text.replace("%1", map.query?.count ?? 0);
  hover(-1);
  resize();
  if (!same) wanted = true;
  if (wanted && wide) { fit(); wanted = false; }
  colour();
  const first = map.query?.answers.find((row) => at[row]);
  const [cx, cy] = [wide / 2, high / 2];
  focus(first ?? hit(cx, cy, 1e6), false);
  stage.dataset.drawn = map.time;
};
watch("value", receive);

// What is done to it
const resize = () => {
  const box = stage.getBoundingClientRect(), ratio = devicePixelRatio || 1;
  if (!box.width || (box.width === wide && box.height === high)) return;
  [wide, high] = [box.width, box.height];
  canvas.width = wide * ratio; canvas.height = high * ratio;
  if (map) { fit(); wanted = false; draw(); }
};
new ResizeObserver(resize).observe(stage);
new MutationObserver(() => { paint(); if (map) draw(); }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
const fingers = new Map();
let moved = 0;
const place = (event) => { const box = stage.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
const apart = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
stage.addEventListener("pointerdown", (event) => {
  fingers.set(event.pointerId, place(event));
  stage.setPointerCapture(event.pointerId);
  touched = event.pointerType === "touch";
  moved = fingers.size > 1 ? 99 : 0;
  lasso = map && fingers.size === 1 && (choosing || event.shiftKey) ? [place(event)] : null;
});
stage.addEventListener("pointermove", (event) => {
  if (!map) return;
  const now = place(event), before = fingers.get(event.pointerId);
  if (!before) return hover(hit(...now, REACH));
  const gap = fingers.size === 2 ? apart() : 0;
  fingers.set(event.pointerId, now);
  if (gap) {
    const [a, b] = [...fingers.values()];
    return zoom(apart() / gap, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
  }
  moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
  if (lasso) { lasso.push(now); return draw(false); }
  if (moved > 5) {
    view.x += now[0] - before[0]; view.y += now[1] - before[1];
    if (hovered >= 0) hover(-1);
    draw();
  }
});
const lift = (event) => {
  const here = fingers.get(event.pointerId);
  fingers.delete(event.pointerId);
  const drawn = lasso && lasso.length > 2 && moved > 5 && event.type === "pointerup";
  if (drawn) enclosed();
  if (lasso) { lasso = null; choose(false); draw(false); }
  if (drawn) return;
  if (!map || !here || moved > 5 || event.type === "pointercancel") return;
  const row = hit(...here, touched ? 26 : REACH);
  if (row < 0) return hover(-1);
  // A finger sees first and opens with a second tap; a mouse has seen already.
  const again = !touched || row === hovered;
  focus(row);
  again ? open(row) : hover(row);
};
stage.addEventListener("pointerup", lift);
stage.addEventListener("pointercancel", lift);
stage.addEventListener("pointerleave", () => { if (!touched && hovered >= 0) hover(-1); });
stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), ...place(event));
  if (hovered >= 0) hover(-1);
}, { passive: false });
const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const step = ([dx, dy]) => {
  const from = at[focused];
  let best = -1, least = Infinity;
  at.forEach((p, row) => {
    if (!p || row === focused || out(row)) return;
    const ahead = (p[0] - from[0]) * dx + (p[1] - from[1]) * dy, aside = Math.abs((p[0] - from[0]) * dy) + Math.abs((p[1] - from[1]) * dx);
    if (ahead > 0 && ahead >= aside && ahead + 2 * aside < least) { least = ahead + 2 * aside; best = row; }
  });
  if (best < 0) return;
  focus(best);
  const [x, y] = screen(...at[best]);
  if (x < 30 || y < 30 || x > wide - 30 || y > high - 30) { view.x += wide / 2 - x; view.y += high / 2 - y; }
  hover(best);
};
stage.addEventListener("keydown", (event) => {
  if (!map || event.ctrlKey || event.metaKey || event.altKey) return;
  const { key } = event;
  if (ways[key] && focused >= 0) step(ways[key]);
  else if (key === "Enter" && focused >= 0) open(focused);
  else if (key === "+" || key === "=") zoom(1.5);
  else if (key === "-") zoom(1 / 1.5);
  else if (key === "0") { fit(); draw(); }
  else if (key === "Escape") hover(-1);
  else return;
  event.preventDefault();
});
stage.addEventListener("blur", () => hover(-1));
select.addEventListener("change", () => colour());
element.addEventListener("click", (event) => {
  const how = event.target.closest("[data-zoom]")?.dataset.zoom;
  if (how === "all") { fit(); draw(); } else if (how) zoom(how === "in" ? 1.6 : 1 / 1.6);
  if (event.target.closest("[data-lasso]")) choose(!choosing);
  const space = event.target.closest("[data-space]")?.dataset.space;
  if (space && map && space !== map.space) { wait.hidden = false; trigger("space", { space }); }
});
if (window.innerWidth < 900) find(".mm-atlas-fold").open = false;
receive();
