// The playground: its state, its controls, what they change.
const $ = (id) => document.getElementById(id);
const LOOKS = DATA.looks;
const names = Object.keys(DATA.rules);
let chosen = [], walks = [], t = 0, now = 0, playing = false, owed = 0, before = 0;  // t: steps walked; now: the step shown

const option = (name) => Object.assign(document.createElement("option"), { value: name, textContent: name });
const short = (x) => String(+x.toPrecision(3));
const times = () => 10 ** $("factor").value;
const inForce = ({ hyper }) => ("lr" in hyper ? { ...hyper, lr: hyper.lr * times() } : hyper);

function forward() {
  if (now < t) now += 1;
  else if (t < 5000) {
    now = t += 1;
    for (const walk of walks) advance(walk, t, inForce(walk.one), +$("noise").value);
  }
}

// Before anyone plays, a picture: the first hundred steps.
function walkFirst() {
  for (let k = 0; k < 100; k++) forward();
  draw();
}

function restart() {
  now = t = 0;
  walks = chosen.map((one) => begun(one));
  draw();
}

// What takes thousands of steps is found again only when something has changed on which it depends.
function remembered(one, what, key, find) {
  const asked = JSON.stringify([surface, key]);
  if (one[what]?.key !== asked) one[what] = { key: asked, value: find() };
  return one[what].value;
}

function drawSweep() {
  const lines = chosen.filter((one) => "lr" in one.hyper).map((one) => ({ points: remembered(one, "swept", [start, { ...one.hyper, lr: 0 }], () => sweep(one)), look: one.look }));
  plot($("sweep"), lines, RATES, (a) => `1e${a}`);
}

function draw() {
  drawPlane();
  const far = $("error").value === "distance";
  const lines = walks.map(({ path, losses, one }) => ({ points: (far ? path.slice(0, now + 1).map(distance) : losses.slice(0, now + 1)).map((v, k) => [k, v]), look: one.look }));
  plot($("curve"), lines, [0, Math.max(now, 1)], String);
  $("curved").textContent = `${$("error").selectedOptions[0].textContent}, by step`;
  $("clock").textContent = `${now} of ${t}`;
  Object.assign($("at"), { max: t, value: now });
  $("play").textContent = playing ? "Pause" : "Play";
  for (const walk of walks) {
    const near = nearFrom(walk, now), at = walk.path[now].map(short).join(", ");
    walk.one.end.textContent = `at (${at}), f = ${short(walk.losses[now] + ground().lowest)}${near === null ? "" : `, near the minimum from step ${near}`}`;
  }
}

function changed() {
  restart();
  drawSweep();
  for (const one of chosen) one.success.textContent = `near the minimum on ${remembered(one, "succeeded", inForce(one), () => successes(one, inForce(one)))} of ${DATA.copies} copies`;
  $("times").textContent = short(times());
  const said = { surface, start, rules: chosen.map(({ name, hyper }) => [name, hyper]), noise: +$("noise").value, factor: +$("factor").value, typed: [...typed.values()] };
  try { history.replaceState(null, "", `#${encodeURIComponent(JSON.stringify(said))}`); } catch { /* some viewers refuse */ }
}

function choose(name, given = {}) {
  if (!known(name) || chosen.length >= LOOKS.length) return;
  const hyper = {}, look = LOOKS.find((each) => chosen.every((one) => one.look !== each));
  for (const [key, { value }] of Object.entries(DATA.rules[name].sliders)) hyper[key] = Number.isFinite(given[key]) ? given[key] : +value;
  const one = { name, hyper, look, end: document.createElement("p"), success: document.createElement("p") };
  one.end.className = one.success.className = "quiet";
  const finite = "lr" in given || !("lr" in hyper) ? [] : sweep(one).filter(([, loss]) => Number.isFinite(loss));
  if (finite.length) one.hyper.lr = 10 ** finite.reduce((best, point) => (point[1] < best[1] ? point : best))[0];
  chosen.push(one);
}

function slider(one, key, { value, share }) {
  const label = document.createElement("label"), input = document.createElement("input"), told = document.createElement("output");
  const log = value > 0, reach = Math.max(1, 2 * Math.abs(value)), [to, from] = share
    ? [(x) => 1 - 10 ** -x, (v) => -Math.log10(1 - v)]
    : log ? [(x) => 10 ** x, Math.log10] : [(x) => x, (v) => v];
  const middle = from(value), [low, high] = share ? [0, 5] : key === "lr" ? RATES : log ? [middle - 3, middle + 3] : [-reach, reach];
  Object.assign(input, { type: "range", min: low, max: high, step: "any", value: from(one.hyper[key]) });
  const tellValue = () => { told.textContent = short(one.hyper[key]); input.setAttribute("aria-valuetext", told.textContent); };
  tellValue();
  input.setAttribute("aria-label", `${key} of ${one.name}`);
  input.addEventListener("input", () => { one.hyper[key] = to(+input.value); tellValue(); changed(); });
  label.append(key, input, told);
  return label;
}

// A rule's mark, as in the pictures.
function badge(look) {
  const picture = document.createElement("canvas"), pen = picture.getContext("2d");
  Object.assign(picture, { className: "badge", width: 28, height: 28 });
  picture.setAttribute("aria-hidden", "true");
  pen.scale(2, 2);
  mark(pen, [7, 7], look, 5.5);
  return picture;
}

function list() {
  $("chosen").replaceChildren(...chosen.map((one) => {
    const box = document.createElement("section"), head = document.createElement("h2"), drop = document.createElement("button");
    const more = document.createElement("details"), formula = document.createElement("pre"), facts = DATA.rules[one.name], name = document.createElement("span");
    box.style.borderLeftColor = one.look.colour;
    Object.assign(drop, { type: "button", textContent: "Remove" });
    drop.setAttribute("aria-label", `Remove ${one.name}`);
    drop.addEventListener("click", () => { chosen = chosen.filter((each) => each !== one); list(); changed(); });
    name.append(badge(one.look), ` ${one.name}`);
    head.append(name, drop);
    formula.textContent = facts.formula;
    more.append(Object.assign(document.createElement("summary"), { textContent: "formula" }), formula);
    box.append(head, ...Object.entries(facts.sliders).filter(([, { value }]) => Number.isFinite(value)).map(([key, each]) => slider(one, key, each)), one.end, one.success, more);
    return box;
  }));
}

function place(event) {
  const box = $("plane").getBoundingClientRect(), [[left, right], [bottom, top]] = sides();
  const x = left + ((event.clientX - box.left) / box.width) * (right - left);
  start = isFlat() ? [x] : [x, top - ((event.clientY - box.top) / box.height) * (top - bottom)];
  changed();
}

function frame(time) {
  owed = Math.min(owed + ((time - before) / 1000) * $("speed").value, 20);
  before = time;
  for (; owed >= 1; owed--) forward();
  draw();
  if (playing) requestAnimationFrame(frame);
}

$("surface").append(...Object.keys(DATA.surfaces).map(option));
$("add").append(option(""), ...names.map(option));
$("surface").addEventListener("change", () => { surface = $("surface").value; start = [...ground().start]; tell(); changed(); });
$("add").addEventListener("change", () => { choose($("add").value); $("add").value = ""; list(); changed(); });
for (const id of ["noise", "factor"]) $(id).addEventListener("input", changed);
$("error").addEventListener("change", draw);
$("play").addEventListener("click", () => { playing = !playing; owed = 0; before = performance.now(); draw(); if (playing) requestAnimationFrame(frame); });
$("once").addEventListener("click", () => { forward(); draw(); });
$("again").addEventListener("click", restart);
$("at").addEventListener("input", () => { playing = false; now = +$("at").value; draw(); });
$("plane").addEventListener("pointerdown", place);
$("plane").addEventListener("pointermove", (event) => { if (event.buttons) place(event); });
$("plane").addEventListener("keydown", (event) => {
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (!move) return;
  event.preventDefault();
  start = start.map((v, k) => v + (move[k] * (ground().window[k][1] - ground().window[k][0])) / 40);
  changed();
});
addEventListener("resize", () => { draw(); drawSweep(); });
const tell = () => { $("about").textContent = ground().about; };
