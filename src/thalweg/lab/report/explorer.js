"use strict";
// The page's own charts: learning curves, and the score at any multiple of the chosen learning rate, for the problem and
// the optimizers that are ticked. All text is set as text, so that a name with tags in it is a name.
(() => {
  const data = JSON.parse(document.getElementById("explored").textContent);
  const root = document.getElementById("explorer");
  const SVG = "http://www.w3.org/2000/svg", WIDE = 620, H = 330, L = 62, R = 118, T = 12, B = 34;
  let W = WIDE; // on a narrow page less, so that the text keeps its size
  const names = Object.keys(data.rules);
  const shown = new Set(names.slice(0, 6));
  const dark = (c) => `var(--${c.slice(1).toLowerCase()},${c})`;
  const make = (tag, attributes, parent, text) => {
    const node = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    parent.appendChild(node);
    return node;
  };
  const said = (x, share) => x === null ? "diverged" : share ? `${(100 * x).toFixed(1)} %` : Number(x.toPrecision(3)).toString();
  const plain = (x) => x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5) ? x.toExponential(0).replace("e+", "e") : Number(x.toPrecision(2)).toString();
  const short = (name) => name.length > 17 ? `${name.slice(0, 16)}…` : name;
  const problem = () => data.problems[root.querySelector("select").selectedIndex];
  const multiple = () => 10 ** Number(root.querySelector("input[type=range]").value);

  function axis(svg, from, to, log, vertical, format) {
    const f = log ? Math.log10 : (x) => x, a = f(from), b = f(to) > a ? f(to) : a + 1;
    const [p, q] = vertical ? [H - B, T] : [L, W - R];
    const place = (x) => p + (q - p) * (f(x) - a) / (b - a);
    const ticks = [], step = log ? Math.max(1, Math.ceil((b - a) / 5)) : 10 ** Math.floor(Math.log10((b - a) / 3));
    const many = (b - a) / step, fine = log ? step : step * (many > 12 ? 5 : many > 6 ? 2 : 1);
    for (let i = Math.ceil(a / fine - 1e-9); i * fine <= b + 1e-9; i++) ticks.push(i * fine);
    if (log && b - a < 2) {
      const within = b - a < 0.6 ? [1, 1.5, 2, 3, 5, 7] : [1, 2, 5];
      const marks = [-1, 0, 1, 2].flatMap((i) => within.map((m) => Math.floor(a) + i + Math.log10(m)));
      ticks.splice(0, ticks.length, ...marks.filter((t) => t >= a - 1e-9 && t <= b + 1e-9));
    }
    if (log && ticks.length < 2) ticks.splice(0, ticks.length, a, b);
    for (const t of ticks) {
      const x = log ? 10 ** t : t, at = place(x), line = { class: "tick" };
      make("line", vertical ? { ...line, x1: L, x2: W - R, y1: at, y2: at } : { ...line, x1: at, x2: at, y1: H - B, y2: H - B + 4 }, svg);
      make("text", vertical ? { x: L - 6, y: at + 4, "text-anchor": "end" } : { x: at, y: H - B + 17, "text-anchor": "middle" }, svg, format(x));
    }
    return place;
  }

  const path = (points) => {
    let text = "", pen = "M";
    for (const [x, y] of points) {
      if (y === null || !Number.isFinite(y)) { pen = "M"; continue; }
      text += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = "L";
    }
    return text;
  };

  function clipped(svg, id) {
    const clip = make("clipPath", { id }, make("defs", {}, svg));
    make("rect", { x: L, y: T, width: W - L - R, height: H - T - B }, clip);
    return make("g", { "clip-path": `url(#${id})` }, svg);
  }

  function label(svg, ends, tied) {
    ends.sort((a, b) => a.y - b.y);
    const places = [];
    for (const end of ends) places.push(Math.max(end.y + 4, (places.at(-1) ?? -Infinity) + 11));
    for (let i = ends.length - 1, lowest = H - B + 4; i >= 0; i--, lowest -= 11) places[i] = Math.min(places[i], lowest);
    ends.forEach((end, i) => {
      const y = places[i];
      if (tied && Math.abs(y - 4 - end.y) > 3) {
        make("line", { x1: W - R + 1, y1: end.y, x2: W - R + 5, y2: y - 4, stroke: dark(data.rules[end.name].colour), "stroke-width": 0.7 }, svg);
      }
      mark(svg, end.name, W - R + 9, y - 4);
      make("text", { x: W - R + 18, y, fill: dark(data.rules[end.name].colour) }, svg, short(end.name));
    });
  }

  const mark = (svg, name, x, y) => make("polygon", {
    points: data.rules[name].shape.map(([u, v]) => `${(x + 4 * u).toFixed(1)},${(y - 4 * v).toFixed(1)}`).join(" "),
    fill: dark(data.rules[name].colour),
  }, svg);

  const line = (svg, name, points, width) => make("path", {
    d: path(points), fill: "none", stroke: dark(data.rules[name].colour), "stroke-width": width,
    "stroke-dasharray": data.rules[name].dash.map((length) => 1.8 * length).join(" "),
  }, svg);

  function cleared(id) {
    const svg = document.getElementById(id);
    W = Math.min(WIDE, Math.max(300, svg.parentElement.clientWidth || WIDE));
    svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
    svg.replaceChildren();
    return svg;
  }

  function curves() {
    const one = problem(), svg = cleared("explored-curves"), ends = [];
    const known = names.filter((n) => shown.has(n) && one.rules[n]), all = known.flatMap((n) => one.rules[n].curve[1]).filter((x) => x !== null);
    const start = Math.max(...known.map((n) => one.rules[n].curve[1][0] ?? -Infinity));
    const low = all.length ? Math.min(...all) : 0, high = Number.isFinite(start) ? Math.max(start, low) : 1;
    const log = low > 0 && high / low > 3 && !one.turned, sign = one.turned ? -1 : 1;
    const scale = one.turned ? axis(svg, -high, -low, false, true, plain) : axis(svg, low, high, log, true, plain), y = (v) => scale(sign * v);
    const x = axis(svg, 0, one.at.at(-1), false, false, String), inside = clipped(svg, "clip-curves");
    for (const n of known) {
      const [under, middle, over] = one.rules[n].curve.map((c) => c.map((v, i) => [x(one.at[i]), v === null || (log && v <= 0) ? null : y(v)]));
      const band = [...under, ...over.slice().reverse()].filter((p) => p[1] !== null);
      make("path", { d: band.length ? `${path(band)}Z` : "", fill: dark(data.rules[n].colour), opacity: 0.15 }, inside);
      line(inside, n, middle, 1.8);
      const end = middle.findLast((p) => p[1] !== null);
      ends.push({ name: n, y: end ? Math.min(Math.max(end[1], T), H - B) : T });
    }
    label(svg, ends, true);
  }

  const between = (sweep, lr) => {
    const right = sweep.findIndex(([rate]) => rate >= lr * (1 - 1e-9));
    if (right < 0 || (right === 0 && sweep[0][0] > lr * (1 + 1e-9))) return undefined;
    const [b, v] = sweep[right];
    if (right === 0 || Math.abs(Math.log(b / lr)) < 1e-9) return v;
    const [a, u] = sweep[right - 1];
    return u === null || v === null ? null : u + (v - u) * Math.log(lr / a) / Math.log(b / a);
  };

  function rates() {
    const one = problem(), svg = cleared("explored-rates"), table = root.querySelector("tbody"), m = multiple();
    const known = names.filter((n) => shown.has(n) && one.rules[n]?.sweep.length), all = known.flatMap((n) => one.rules[n].sweep.map((p) => p[1])).filter((v) => v !== null);
    const low = all.length ? Math.min(...all) : 0, high = all.length ? Math.max(...all) : 1, share = one.score.share;
    const log = !one.score.higher_is_better && low > 0 && high / low > 30;
    const y = axis(svg, low, high, log, true, (v) => said(v, share)), x = axis(svg, 1e-3, 1e3, true, false, (v) => `${Number(v.toPrecision(1))}x`);
    const inside = clipped(svg, "clip-rates");
    make("line", { x1: x(m), x2: x(m), y1: T, y2: H - B, class: "handle" }, svg);
    const ends = [], told = [];
    for (const n of known) {
      const { sweep, best_lr: best } = one.rules[n];
      line(inside, n, sweep.map(([rate, v]) => [x(rate / best), v === null ? null : y(v)]), 1.8);
      const value = between(sweep, best * m);
      told.push({ n, value, lr: best * m });
      if (value !== undefined && value !== null) { mark(inside, n, x(m), y(value)); ends.push({ name: n, y: y(value) }); }
    }
    label(svg, ends, false);
    const better = one.score.higher_is_better ? -1 : 1, key = (v) => v === undefined ? 2e300 : v === null ? 1e300 : better * v;
    table.replaceChildren(...told.sort((a, b) => key(a.value) - key(b.value)).map(({ n, value, lr }) => {
      const row = document.createElement("tr");
      for (const text of [n, String(Number(lr.toPrecision(6))), value === undefined ? "not tried" : said(value, share)]) {
        row.appendChild(document.createElement("td")).textContent = text;
      }
      return row;
    }));
    root.querySelector("output").textContent = m === 1 ? "the learning rate chosen for each" : `${Number(m.toPrecision(2))} times the learning rate chosen for each`;
    root.querySelector("#explored-score").textContent = `validation ${one.score.name}`;
  }

  const draw = () => { curves(); rates(); };
  const select = root.querySelector("select"), box = root.querySelector("fieldset div");
  for (const each of data.problems) select.appendChild(document.createElement("option")).textContent = each.name;
  if (data.problems.length < 2) select.parentElement.hidden = true;
  for (const n of names) {
    const tag = box.appendChild(document.createElement("label")), input = tag.appendChild(document.createElement("input"));
    input.type = "checkbox";
    input.checked = shown.has(n);
    input.addEventListener("change", () => { shown[input.checked ? "add" : "delete"](n); draw(); });
    tag.appendChild(document.createElement("span")).textContent = n;
  }
  for (const [id, want] of [["explored-all", true], ["explored-none", false]]) {
    document.getElementById(id).addEventListener("click", () => {
      box.querySelectorAll("input").forEach((input, i) => { input.checked = want; shown[want ? "add" : "delete"](names[i]); });
      draw();
    });
  }
  select.addEventListener("change", draw);
  root.querySelector("input[type=range]").addEventListener("input", rates);
  root.hidden = false;
  draw();
  addEventListener("resize", draw);
})();

// Tables for narrow pages, on which each row is a list of its cells: what a cell is stands beside it.
addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("main table:not(#explorer table)")) {
    const words = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
    table.classList.add("stacks");
    table.setAttribute("role", "table");
    for (const row of table.rows) {
      row.setAttribute("role", "row");
      [...row.cells].forEach((cell, i) => {
        cell.dataset.label = words[i];
        cell.setAttribute("role", cell.scope === "col" ? "columnheader" : cell.scope === "row" ? "rowheader" : "cell");
      });
    }
  }
});
