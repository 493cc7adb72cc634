// What is drawn: the surface with the paths, and lines on axes.
function prepared(canvas) {
  const ratio = devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
  canvas.width = w * ratio;
  canvas.height = h * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return { pen, w, h };
}

function line(pen, points, colour) {
  pen.beginPath();
  let down = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) { down = false; continue; }
    down ? pen.lineTo(x, y) : pen.moveTo(x, y);
    down = true;
  }
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.stroke();
}

let kept = null;
function drawPlane() {
  const { pen, w, h } = prepared($("plane")), [[left, right], [bottom, top]] = DATA.surfaces[surface].window;
  const x = (a) => ((a - left) / (right - left)) * w, y = (b) => ((top - b) / (top - bottom)) * h;
  if (!kept || kept.key !== `${surface} ${w} ${h}`) kept = { key: `${surface} ${w} ${h}`, picture: ground(w, h) };
  pen.drawImage(kept.picture, 0, 0, w, h);
  for (const [a, b] of DATA.surfaces[surface].minima) {
    pen.font = "20px sans-serif";
    pen.fillStyle = "#7a5c00";
    pen.fillText("★", x(a) - 9, y(b) + 7);
  }
  for (const walk of walks) {
    line(pen, walk.path.map(([a, b]) => [x(a), y(b)]), walk.one.colour);
    pen.beginPath();
    pen.arc(x(walk.p[0]), y(walk.p[1]), 5, 0, 7);
    pen.fillStyle = walk.one.colour;
    pen.fill();
  }
}

// Bands of the gap to the minimum, evenly spaced in its logarithm.
function ground(w, h) {
  const [[left, right], [bottom, top]] = DATA.surfaces[surface].window, m = 240, picture = document.createElement("canvas");
  picture.width = picture.height = m;
  const pen = picture.getContext("2d"), pixels = pen.createImageData(m, m), gaps = [];
  for (let j = 0; j < m; j++) for (let i = 0; i < m; i++) {
    gaps.push(SURFACES[surface](left + ((right - left) * i) / (m - 1), top - ((top - bottom) * j) / (m - 1))[0] - lowest());
  }
  const most = Math.log1p(Math.max(...gaps));
  gaps.forEach((gap, k) => {
    const shade = Math.floor((14 * Math.log1p(gap)) / most) / 14;
    pixels.data.set([238 - 90 * shade, 245 - 65 * shade, 252 - 35 * shade, 255], 4 * k);
  });
  pen.putImageData(pixels, 0, 0);
  return picture;
}

// Lines on two axes, the upright one logarithmic.
function plot(canvas, lines, [low, high], across) {
  const { pen, w, h } = prepared(canvas), clipped = (v) => Math.log10(Math.min(Math.max(v, 1e-12), 1e9));
  const all = lines.flatMap((each) => each.points.map(([, v]) => v)).filter(Number.isFinite).map(clipped);
  const least = Math.min(0, ...all), most = Math.max(least + 1, ...all), style = getComputedStyle(document.documentElement);
  const x = (a) => 46 + ((a - low) / (high - low || 1)) * (w - 56), y = (v) => 10 + ((most - v) / (most - least)) * (h - 34);
  pen.fillStyle = style.getPropertyValue("--ink");
  pen.font = "12px system-ui, sans-serif";
  for (let k = Math.ceil(least); k <= most; k += Math.ceil((most - least) / 6)) pen.fillText(`1e${k}`, 4, y(k) + 4);
  pen.fillText(across(low), 46, h - 6);
  pen.fillText(across(high), w - 44, h - 6);
  for (const each of lines) line(pen, each.points.map(([a, v]) => [x(a), Number.isFinite(v) ? y(clipped(v)) : NaN]), each.colour);
}
