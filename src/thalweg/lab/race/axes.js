"use strict";
// What there is to draw with: axes on a canvas, lines and markers in them.
const RADIUS = 5, INK = "#1b1f24", QUIET = "#5b6470", LINE = "#e3e7eb", GREY = "#c4cad1", DIM = "#8b95a1";

// One pair of axes: from numbers to places on a canvas and its frame.
function axes(canvas, xs, ys, log) {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const box = { left: 52, right: width - 12, top: 10, bottom: height - 34 };
  const of = (v) => (log ? Math.log10(v) : v);
  const [low, high] = ys.map(of);
  const x = (v) => box.left + ((v - xs[0]) / (xs[1] - xs[0])) * (box.right - box.left);
  const y = (v) => box.bottom - ((of(v) - low) / (high - low)) * (box.bottom - box.top);
  return { pen, box, x, y, xs, ys, log };
}

function ticks(low, high) {
  const rough = (high - low) / 6, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-12); k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

function decades(low, high) {
  const first = Math.ceil(Math.log10(low)), end = Math.floor(Math.log10(high));
  const every = Math.max(1, Math.ceil((end - first) / 8));
  const found = [];
  for (let k = end; k >= first; k -= every) found.push(10 ** k);
  return found;
}

function frame(a, grid) {
  const { pen, box } = a;
  pen.font = "12px system-ui, sans-serif";
  pen.lineWidth = 1;
  for (const [values, along] of [[ticks(...a.xs), true], [a.log ? decades(...a.ys) : ticks(...a.ys), false]]) {
    for (const v of values) {
      const at = along ? a.x(v) : a.y(v);
      pen.strokeStyle = LINE;
      pen.beginPath();
      if (grid) along ? (pen.moveTo(at, box.top), pen.lineTo(at, box.bottom)) : (pen.moveTo(box.left, at), pen.lineTo(box.right, at));
      pen.stroke();
      pen.fillStyle = QUIET;
      pen.textAlign = along ? "center" : "right";
      pen.textBaseline = along ? "top" : "middle";
      const text = a.log && !along ? v.toExponential(0).replace("e+", "e") : String(v).replace("-", "−");
      along ? pen.fillText(text, at, box.bottom + 7) : pen.fillText(text, box.left - 7, at);
    }
  }
  pen.strokeStyle = "#b6bcc4";
  pen.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
}

function inside(a, draw) {
  a.pen.save();
  a.pen.beginPath();
  a.pen.rect(a.box.left, a.box.top, a.box.right - a.box.left, a.box.bottom - a.box.top);
  a.pen.clip();
  draw();
  a.pen.restore();
}

function line(a, xs, ys, colour, width, dash = []) {
  a.pen.setLineDash(dash.map((length) => length * width));
  a.pen.strokeStyle = colour;
  a.pen.lineWidth = width;
  a.pen.lineJoin = "round";
  a.pen.beginPath();
  let pen = "up";
  for (let i = 0; i < xs.length; i++) {
    if (xs[i] === null || ys[i] === null) { pen = "up"; continue; }
    pen === "up" ? a.pen.moveTo(a.x(xs[i]), a.y(ys[i])) : a.pen.lineTo(a.x(xs[i]), a.y(ys[i]));
    pen = "down";
  }
  a.pen.stroke();
  a.pen.setLineDash([]);
}

function marker(pen, walk, [x, y], radius, hollow) {
  pen.beginPath();
  walk.shape.forEach(([u, v], i) => (i ? pen.lineTo : pen.moveTo).call(pen, x + radius * u, y - radius * v));
  pen.closePath();
  pen.fillStyle = hollow ? "#fff" : walk.colour;
  pen.strokeStyle = hollow ? walk.colour : "#fff";
  pen.lineWidth = 1;
  pen.fill();
  pen.stroke();
}

function tie(a, from, to, colour) {
  a.pen.strokeStyle = colour;
  a.pen.lineWidth = 0.7;
  a.pen.beginPath();
  a.pen.moveTo(...from);
  a.pen.lineTo(...to);
  a.pen.stroke();
}
