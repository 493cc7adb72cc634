// Walks on a surface, from the steps in STEPS.
const DATA = JSON.parse(document.getElementById("data").textContent);
const RATES = [-5, 1];  // decimal logarithms of the learning rates of sweep and slider
let surface = "rosenbrock", start = [];

const ground = () => DATA.surfaces[surface];
const known = (name) => Object.hasOwn(DATA.rules, name);

// Numbers that are the same at each restart: mulberry32, and normal ones of them by Box and Muller.
function uniforms(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

function normals(seed) {
  const uniform = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

// f: from coordinates to the value and its derivatives. Of the path, `losses` are f - f_min.
function begun(one, from = start, f = SURFACES[surface]) {
  const p = Float64Array.from(from), state = {}, seen = f(...p);
  for (const [slot, [full, value]] of Object.entries(DATA.rules[one.name].starts)) {
    state[slot] = full ? (value === null ? p.slice() : new Float64Array(p.length).fill(+value)) : +value;
  }
  return { one, f, p, state, seen, draw: normals(1), path: [[...p]], losses: [seen[0] - ground().lowest] };
}

function advance(walk, at, hyper, noise) {
  const [loss, ...slopes] = walk.seen, g = Float64Array.from(slopes, (slope) => slope + noise * walk.draw());
  STEPS[walk.one.name](walk.state, walk.p, g, hyper, { t: at, loss });
  walk.seen = walk.f(...walk.p);
  walk.path.push([...walk.p]);
  walk.losses.push(walk.seen[0] - ground().lowest);
}

function walked(walk, hyper) {
  for (let at = 1; at <= DATA.length; at++) advance(walk, at, hyper, 0);
  return walk;
}

// The last loss at each learning rate, whose decimal logarithms are evenly spaced.
function sweep(one) {
  return [...Array(33).keys()].map((k) => RATES[0] + ((RATES[1] - RATES[0]) * k) / 32)
    .map((power) => [power, walked(begun(one), { ...one.hyper, lr: 10 ** power }).losses.at(-1)]);
}

// A copy of the surface, turned about its first minimum and moved, with a start of its own: of what a rule makes of axes, origin
// and start nothing is left but chance.
function copied(uniform) {
  const { box, minima: [centre] } = ground(), angle = 2 * Math.PI * uniform(), side = uniform() < 0.5 ? -1 : 1;
  const turn = centre.length === 1 ? [[side]] : [[Math.cos(angle), -Math.sin(angle)], [side * Math.sin(angle), side * Math.cos(angle)]];
  const back = turn.map((_, i) => turn.map((row) => row[i])), times = (q, v) => q.map((row) => row.reduce((all, x, j) => all + x * v[j], 0));
  const moved = centre.map(() => DATA.shift * (2 * uniform() - 1)), inner = box.map(([low, high]) => low + (high - low) * uniform());
  const from = times(back, inner.map((x, k) => x - centre[k])).map((x, k) => x + moved[k]);
  const f = (...x) => {
    const [value, ...slopes] = SURFACES[surface](...times(turn, x.map((v, k) => v - moved[k])).map((v, k) => v + centre[k]));
    return [value, ...times(back, slopes)];
  };
  return { from, f };
}

// On how many copies a walk ends near the minimum.
function successes(one, hyper) {
  const uniform = uniforms(2);
  let found = 0;
  for (let k = 0; k < DATA.copies; k++) {
    const { from, f } = copied(uniform), { losses } = walked(begun(one, from, f), hyper);
    found += losses.at(-1) <= DATA.near * losses[0];
  }
  return found;
}

// The step from which on a walk stays near the minimum up to this step, or null.
function nearFrom({ losses }, until) {
  let k = until + 1;
  while (k > 0 && losses[k - 1] <= DATA.near * losses[0]) k -= 1;
  return k > until ? null : k;
}

const distance = (point) => Math.min(...ground().minima.map((minimum) => Math.hypot(...minimum.map((x, k) => x - point[k]))));
