// The playground: walks of several optimizers on a surface, from the steps in STEPS.
const DATA = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const RATES = [-5, 1];  // decimal logarithms of the learning rates of sweep and slider
const names = Object.keys(DATA.rules);
let surface = "rosenbrock", start = [], chosen = [], walks = [], t = 0, playing = false, owed = 0, before = 0;

const option = (name) => Object.assign(document.createElement("option"), { value: name, textContent: name });
const short = (x) => String(+x.toPrecision(3));
const lowest = () => DATA.surfaces[surface].lowest;
const known = (name) => Object.hasOwn(DATA.rules, name);

// Normal numbers that are the same at each restart: mulberry32 and Box and Muller.
function generator(seed) {
  const uniform = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

function begun(one) {
  const p = Float64Array.from(start), state = {};
  for (const [slot, [full, value]] of Object.entries(DATA.rules[one.name].starts)) {
    state[slot] = full ? (value === null ? p.slice() : new Float64Array(2).fill(+value)) : +value;
  }
  return { one, p, state, draw: generator(1), path: [[...p]], losses: [SURFACES[surface](...p)[0] - lowest()] };
}

function advance(walk, at, hyper, noise) {
  const [loss, dx, dy] = SURFACES[surface](...walk.p);
  const g = Float64Array.of(dx + noise * walk.draw(), dy + noise * walk.draw());
  STEPS[walk.one.name](walk.state, walk.p, g, hyper, { t: at, loss });
  walk.path.push([...walk.p]);
  walk.losses.push(SURFACES[surface](...walk.p)[0] - lowest());
}

function forward() {
  if (t >= 5000) return;
  t += 1;
  for (const walk of walks) advance(walk, t, walk.one.hyper, +$("noise").value);
}

// Before anyone plays, a picture: the first hundred steps.
function walkFirst() {
  for (let k = 0; k < 100; k++) forward();
  draw();
}

function restart() {
  t = 0;
  walks = chosen.map(begun);
  draw();
}

// The last loss at each learning rate, whose decimal logarithms are evenly spaced.
function sweep(one) {
  const points = [];
  for (let k = 0; k <= 32; k++) {
    const walk = begun(one), power = RATES[0] + ((RATES[1] - RATES[0]) * k) / 32;
    for (let at = 1; at <= 200; at++) advance(walk, at, { ...one.hyper, lr: 10 ** power }, 0);
    points.push([power, walk.losses.at(-1)]);
  }
  return points;
}

function drawSweep() {
  const lines = chosen.filter((one) => "lr" in one.hyper).map((one) => ({ points: sweep(one), colour: one.colour }));
  plot($("sweep"), lines, RATES, (a) => `1e${a}`);
}

function draw() {
  drawPlane();
  plot($("curve"), walks.map((w) => ({ points: w.losses.map((v, k) => [k, v]), colour: w.one.colour })), [0, Math.max(t, 1)], String);
  $("clock").textContent = `step ${t}`;
  $("play").textContent = playing ? "Pause" : "Play";
}

function changed() {
  restart();
  drawSweep();
  const said = { surface, start, rules: chosen.map(({ name, hyper }) => [name, hyper]), noise: +$("noise").value, typed: [...typed.values()] };
  try { history.replaceState(null, "", `#${encodeURIComponent(JSON.stringify(said))}`); } catch { /* some viewers refuse */ }
}

function choose(name, given = {}) {
  if (!known(name) || chosen.length >= COLOURS.length) return;
  const hyper = {}, colour = COLOURS.find((c) => chosen.every((one) => one.colour !== c));
  for (const [key, { value }] of Object.entries(DATA.rules[name].sliders)) hyper[key] = Number.isFinite(given[key]) ? given[key] : +value;
  const one = { name, hyper, colour };
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
  told.textContent = short(one.hyper[key]);
  input.addEventListener("input", () => { one.hyper[key] = to(+input.value); told.textContent = short(one.hyper[key]); changed(); });
  label.append(key, input, told);
  return label;
}

function list() {
  $("chosen").replaceChildren(...chosen.map((one) => {
    const box = document.createElement("section"), head = document.createElement("h2"), drop = document.createElement("button");
    const more = document.createElement("details"), formula = document.createElement("pre"), facts = DATA.rules[one.name];
    box.style.borderLeftColor = one.colour;
    Object.assign(drop, { type: "button", textContent: "Remove" });
    drop.setAttribute("aria-label", `Remove ${one.name}`);
    drop.addEventListener("click", () => { chosen = chosen.filter((each) => each !== one); list(); changed(); });
    head.append(one.name, drop);
    formula.textContent = facts.formula;
    more.append(Object.assign(document.createElement("summary"), { textContent: "formula" }), formula);
    box.append(head, ...Object.entries(facts.sliders).filter(([, { value }]) => Number.isFinite(value)).map(([key, each]) => slider(one, key, each)), more);
    return box;
  }));
}

function place(event) {
  const box = $("plane").getBoundingClientRect(), [[left, right], [bottom, top]] = DATA.surfaces[surface].window;
  start = [left + ((event.clientX - box.left) / box.width) * (right - left), top - ((event.clientY - box.top) / box.height) * (top - bottom)];
  changed();
}

function frame(now) {
  owed = Math.min(owed + ((now - before) / 1000) * $("speed").value, 20);
  before = now;
  for (; owed >= 1; owed--) forward();
  draw();
  if (playing) requestAnimationFrame(frame);
}

$("surface").append(...Object.keys(DATA.surfaces).map(option));
$("add").append(option(""), ...names.map(option));
$("surface").addEventListener("change", () => { surface = $("surface").value; start = [...DATA.surfaces[surface].start]; tell(); changed(); });
$("add").addEventListener("change", () => { choose($("add").value); $("add").value = ""; list(); changed(); });
$("noise").addEventListener("input", changed);
$("play").addEventListener("click", () => { playing = !playing; owed = 0; before = performance.now(); draw(); if (playing) requestAnimationFrame(frame); });
$("once").addEventListener("click", () => { forward(); draw(); });
$("again").addEventListener("click", restart);
$("plane").addEventListener("pointerdown", place);
$("plane").addEventListener("pointermove", (event) => { if (event.buttons) place(event); });
$("plane").addEventListener("keydown", (event) => {
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (!move) return;
  event.preventDefault();
  start = start.map((v, k) => v + (move[k] * (DATA.surfaces[surface].window[k][1] - DATA.surfaces[surface].window[k][0])) / 40);
  changed();
});
addEventListener("resize", () => { draw(); drawSweep(); });
const tell = () => { $("about").textContent = DATA.surfaces[surface].about; };
