// The race on the page: its state, what is drawn of it, and the controls. axes.js comes before.
const race = JSON.parse(document.getElementById("race").textContent);
const $ = (id) => document.getElementById(id);
const plane = $("plane"), curves = $("curves"), legend = $("legend");
const flat = race.start.length === 1;
const last = race.steps.length - 1;
let now = 0, playing = false, over = null;
const kept = new Set();

// A rule that is not tuned has one run only, whatever the factor.
const run = (walk) => walk.runs[walk.runs.length > 1 ? +$("factor").value : 0];
const errorsOf = (walk) => run(walk)[$("error").value];
const alone = () => (over === null ? kept : new Set([...kept, over]));
// In colour: the first ones, and those that are looked at.
const seen = (walk) => (walk.front || alone().has(walk.name) ? walk : { ...walk, colour: GREY });
const backToFront = race.walks.map((walk, i) => [walk, i]).sort((a, b) => a[0].front - b[0].front);
const strength = (walk) => (alone().size === 0 || alone().has(walk.name) ? 1 : 0.08);
// The shortest text that reads back as this very number.
const typed = (x) => String(x).replace("e+", "e");

// A curve's own mark every so often, not where its neighbours have theirs: colours alone do not tell twenty apart.
function strew(a, walk, xs, ys, where) {
  for (const k of where) {
    if (k < xs.length && xs[k] !== null && ys[k] !== null) marker(a.pen, walk, [a.x(xs[k]), a.y(ys[k])], RADIUS * 0.62, false);
  }
}
const evenly = (i) => [...Array(7).keys()].map((k) => 1 + Math.floor((last / 7) * (k + ((i * 0.618) % 1))));
const thinning = (i) => [...Array(8).keys()].map((k) => Math.round((1 + (i % 4)) * (last / (1 + (i % 4))) ** (k / 8)));

// Markers that would hide each other: a pile on a curve, a spiral on a plane. The first in rank stays where it belongs.
function spread(spots) {
  const taken = [], wide = 2.3 * RADIUS;
  const free = (p) => taken.every((q) => Math.hypot(p[0] - q[0], p[1] - q[1]) >= wide * 0.999);
  return spots.map((spot) => {
    if (spot === null) return null;
    for (let k = 0; k < 1500; k++) {
      const reach = wide * (flat ? k / 6 : Math.sqrt(k) / 4);
      const p = flat ? [spot[0], spot[1] - reach] : [spot[0] + reach * Math.cos(2.399963 * k), spot[1] + reach * Math.sin(2.399963 * k)];
      if (free(p)) { taken.push(p); return p; }
    }
    return spot;
  });
}

function drawPlane() {
  const heights = flat ? race.curve[1] : race.window[1];
  const low = Math.min(...heights), high = Math.max(...heights), room = flat ? (high - low) * 0.07 : 0;
  const a = axes(plane, race.window[0], [low - room, high + room], false);
  if (!flat) inside(a, () => ground(a));
  frame(a, flat);
  inside(a, () => {
    if (flat) return line(a, ...race.curve, "#9aa3ad", 3);
    for (const [walk, i] of backToFront) {
      const [xs, ys] = run(walk).at.map((c) => c.slice(0, now + 1)), look = seen(walk);
      a.pen.globalAlpha = (look.colour === GREY ? 0.45 : 0.85) * strength(walk);
      line(a, xs, ys, look.colour === GREY ? DIM : look.colour, look.colour === GREY ? 0.8 : 1.5, walk.dash);
      if (look.colour !== GREY) strew(a, walk, xs, ys, thinning(i));
    }
    a.pen.globalAlpha = 1;
    landmarks(a);
  });
  const spots = race.walks.map((walk) => {
    const at = run(walk).at.map((c) => c[now]);
    if (flat) at.push(run(walk).value[now] === null ? null : run(walk).value[now] + race.lowest);
    return at.includes(null) ? null : [a.x(at[0]), a.y(at[1])];
  });
  const { left, right, top, bottom } = a.box;
  const shown = spots.map((p) => p && [Math.min(Math.max(p[0], left), right), Math.min(Math.max(p[1], top), bottom)]);
  const grey = race.walks.map((walk) => seen(walk).colour === GREY);
  const places = spread(shown.map((p, i) => (grey[i] ? null : p)));
  for (const [walk, i] of backToFront) {
    const place = grey[i] ? shown[i] : places[i];
    if (place === null) continue;
    a.pen.globalAlpha = strength(walk);
    const out = Math.hypot(shown[i][0] - spots[i][0], shown[i][1] - spots[i][1]) > 0.5;
    if (!flat && !grey[i]) tie(a, place, shown[i], walk.colour);
    marker(a.pen, grey[i] ? { ...walk, colour: DIM } : walk, place, grey[i] ? RADIUS * 0.5 : RADIUS, out);
  }
}

function ground(a) {
  const { left, right, top, bottom } = a.box;
  for (const band of race.bands) {
    a.pen.beginPath();
    for (const ring of band.rings) {
      for (let i = 0; i < ring.length; i += 2) {
        const x = left + (ring[i] / 1000) * (right - left), y = top + (ring[i + 1] / 1000) * (bottom - top);
        i ? a.pen.lineTo(x, y) : a.pen.moveTo(x, y);
      }
      a.pen.closePath();
    }
    a.pen.fillStyle = band.colour;
    a.pen.strokeStyle = "#ffffffb0";
    a.pen.lineWidth = 0.8;
    a.pen.fill("evenodd");
    a.pen.stroke();
  }
}

function landmarks(a) {
  const star = [...Array(10).keys()].map((i) => [Math.PI * (0.5 + i / 5), i % 2 ? 4 : 9]);
  for (const [x, y] of race.minima) {
    a.pen.beginPath();
    star.forEach(([angle, r], i) => (i ? a.pen.lineTo : a.pen.moveTo).call(a.pen, a.x(x) + r * Math.cos(angle), a.y(y) - r * Math.sin(angle)));
    a.pen.closePath();
    a.pen.fillStyle = "#ffd23f";
    a.pen.strokeStyle = "#5b4a00";
    a.pen.lineWidth = 1;
    a.pen.fill();
    a.pen.stroke();
  }
  a.pen.beginPath();
  a.pen.arc(a.x(race.start[0]), a.y(race.start[1]), 7, 0, 2 * Math.PI);
  a.pen.strokeStyle = INK;
  a.pen.lineWidth = 1.5;
  a.pen.stroke();
}

function drawCurves() {
  const all = race.walks.flatMap(errorsOf).filter((e) => e !== null).map((e) => Math.max(e, 1e-15));
  const first = Math.max(...race.walks.map((w) => errorsOf(w)[0]));
  const low = Math.min(...all) / 2, high = Math.min(Math.max(...all) * 1.5, first * 30);
  const a = axes(curves, [0, race.steps[last]], [low, high], true);
  frame(a, true);
  for (const [walk, i] of backToFront) {
    const look = seen(walk), grey = look.colour === GREY;
    const errors = errorsOf(walk).map((e) => (e === null ? null : Math.max(e, 1e-15)));
    const xs = race.steps.slice(0, now + 1), ys = errors.slice(0, now + 1);
    a.pen.globalAlpha = strength(walk);
    inside(a, () => {
      line(a, xs, ys, look.colour, grey ? 0.8 : 1.6, walk.dash);
      if (!grey) strew(a, walk, xs, ys, evenly(i));
    });
    const e = errors[now];
    if (e !== null && e >= low && e <= high) marker(a.pen, look, [a.x(race.steps[now]), a.y(e)], RADIUS * (grey ? 0.4 : 0.85), false);
  }
}

// The legend, in the order of the errors at this step: the curves' own order, from top to bottom.
const items = new Map(race.walks.map((walk) => {
  const item = document.createElement("li"), button = document.createElement("button");
  const picture = document.createElement("canvas"), name = document.createElement("span"), rate = document.createElement("span");
  const success = document.createElement("span");
  picture.style.cssText = "width:14px;height:14px;min-height:0;flex:none";
  picture.width = picture.height = 28;
  const pen = picture.getContext("2d");
  pen.scale(2, 2);
  marker(pen, walk.front ? walk : { ...walk, colour: GREY }, [7, 7], 4.6, false);
  name.textContent = walk.name;
  rate.className = "rate";
  success.className = "success";
  success.textContent = walk.success.split(" [")[0];
  success.title = `success ${walk.success || "–"}, at the learning rate ${typed(walk.runs[walk.runs.length >> 1].lr)}`;
  button.type = "button";
  button.setAttribute("aria-pressed", "false");
  button.append(picture, name, rate, success);
  const point = (at) => { over = at; draw(); };
  button.addEventListener("mouseenter", () => point(walk.name));
  button.addEventListener("mouseleave", () => point(null));
  button.addEventListener("focus", () => { if (button.matches(":focus-visible")) point(walk.name); });
  button.addEventListener("blur", () => point(null));
  button.addEventListener("click", () => {
    kept.has(walk.name) ? kept.delete(walk.name) : kept.add(walk.name);
    button.setAttribute("aria-pressed", String(kept.has(walk.name)));
    draw();
  });
  item.append(button);
  return [walk.name, { item, button, name, rate }];
}));

function drawLegend() {
  const error = (walk) => errorsOf(walk)[now] ?? Infinity;
  const order = race.walks.map((walk, i) => [walk, error(walk), i]).sort((a, b) => b[1] - a[1] || b[2] - a[2]);
  const focused = document.activeElement;
  if (order.some(([walk], i) => legend.children[i] !== items.get(walk.name).item)) legend.append(...order.map(([walk]) => items.get(walk.name).item));
  if (legend.contains(focused)) focused.focus();
  for (const [walk, e] of order) {
    const { name, rate } = items.get(walk.name);
    rate.textContent = walk.success === "" ? "failed" : e === Infinity ? "diverged" : typed(run(walk).lr);
    name.className = e === Infinity ? "lost" : "";
  }
}

function draw() {
  $("step").value = now;
  $("clock").textContent = `${race.steps[now]} of ${race.steps[last]}`;
  $("times").textContent = typed(race.factors[+$("factor").value]);
  $("play").textContent = playing ? "Pause" : "Play";
  $("error-title").textContent = $("error").selectedOptions[0].textContent;
  drawPlane();
  drawCurves();
  drawLegend();
}

let begun = 0, from = 0;
function tick(time) {
  if (!playing) return;
  const perSecond = Math.max(10, last / 12) * +$("speed").value;
  now = Math.min(last, from + Math.floor(((time - begun) / 1000) * perSecond));
  if (now === last) playing = false;
  draw();
  requestAnimationFrame(tick);
}

function play() {
  playing = true;
  begun = performance.now();
  from = now = now === last ? 0 : now;
  requestAnimationFrame(tick);
}

function pause() { playing = false; draw(); }

$("play").addEventListener("click", () => (playing ? pause() : play()));
$("step").addEventListener("input", (event) => { now = +event.target.value; pause(); });
$("speed").addEventListener("change", () => { if (playing) play(); });
for (const id of ["error", "factor"]) $(id).addEventListener("input", draw);
window.addEventListener("resize", draw);
$("plane-title").textContent = flat ? "f(x)" : "paths from the ring to the star";
$("stage").hidden = false;
const asked = /^#step=(\d+)$/.exec(location.hash);
now = asked ? Math.max(0, race.steps.findLastIndex((s) => s <= +asked[1])) : 0;
if (asked || matchMedia("(prefers-reduced-motion: reduce)").matches) { now = asked ? now : last; draw(); } else { draw(); play(); }
