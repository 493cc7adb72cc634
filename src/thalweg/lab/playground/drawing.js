// What is drawn: the surface with the paths, and lines on axes.
function prepared(canvas) {
  const ratio = devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
  canvas.width = w * ratio;
  canvas.height = h * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return { pen, w, h };
}

function line(pen, points, { colour, dash = [] }) {
  pen.beginPath();
  let down = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) { down = false; continue; }
    down ? pen.lineTo(x, y) : pen.moveTo(x, y);
    down = true;
  }
  pen.setLineDash(dash.map((length) => 2 * length));
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.stroke();
  pen.setLineDash([]);
}

function mark(pen, [x, y], { colour, shape }, radius = 6) {
  pen.beginPath();
  shape.forEach(([u, v], i) => (i ? pen.lineTo(x + radius * u, y - radius * v) : pen.moveTo(x + radius * u, y - radius * v)));
  pen.closePath();
  pen.fillStyle = colour;
  pen.strokeStyle = "#fff";
  pen.lineWidth = 1;
  pen.fill();
  pen.stroke();
}

const isFlat = () => start.length === 1;
// The sides of the picture: of a surface of one coordinate, the upright one is the value.
function sides() {
  if (!isFlat()) return ground().window;
  const heights = profile().map(([, f]) => f), low = Math.min(...heights), high = Math.max(...heights), room = 0.07 * (high - low);
  return [ground().window[0], [low - room, high + room]];
}

function profile() {
  const [[left, right]] = ground().window;
  return [...Array(241).keys()].map((k) => left + ((right - left) * k) / 240).map((x) => [x, SURFACES[surface](x)[0]]);
}

let kept = null;
function drawPlane() {
  const { pen, w, h } = prepared($("plane")), [[left, right], [bottom, top]] = sides();
  const at = ([a, b]) => [((a - left) / (right - left)) * w, ((top - b) / (top - bottom)) * h];
  const lift = ([x], k, { losses }) => [x, losses[k] + ground().lowest];
  if (isFlat()) line(pen, profile().map(at), { colour: "#8b95a1" });
  else {
    if (kept?.key !== `${surface} ${w} ${h}`) kept = { key: `${surface} ${w} ${h}`, picture: bands() };
    pen.drawImage(kept.picture, 0, 0, w, h);
  }
  for (const minimum of ground().minima) {
    const [x, y] = at(isFlat() ? [minimum[0], ground().lowest] : minimum);
    pen.font = "20px sans-serif";
    pen.fillStyle = isFlat() ? getComputedStyle(document.documentElement).getPropertyValue("--ink") : "#7a5c00";
    pen.fillText("★", x - 9, y + 7);
  }
  for (const walk of walks) {
    const points = walk.path.slice(0, now + 1).map((p, k) => at(isFlat() ? lift(p, k, walk) : p));
    if (isFlat()) points.forEach((point) => mark(pen, point, walk.one.look, 2));
    else line(pen, points, walk.one.look);
    if (points.at(-1).every(Number.isFinite)) mark(pen, points.at(-1), walk.one.look);
  }
}

// Bands of the gap to the minimum, evenly spaced in its logarithm.
function bands() {
  const [[left, right], [bottom, top]] = ground().window, m = 240, picture = document.createElement("canvas");
  picture.width = picture.height = m;
  const pen = picture.getContext("2d"), pixels = pen.createImageData(m, m), gaps = [];
  for (let j = 0; j < m; j++) for (let i = 0; i < m; i++) {
    gaps.push(SURFACES[surface](left + ((right - left) * i) / (m - 1), top - ((top - bottom) * j) / (m - 1))[0] - ground().lowest);
  }
  const most = Math.log1p(Math.max(...gaps));
  gaps.forEach((gap, k) => {
    const shade = Math.floor((14 * Math.log1p(gap)) / most) / 14;
    pixels.data.set([238 - 90 * shade, 245 - 65 * shade, 252 - 35 * shade, 255], 4 * k);
  });
  pen.putImageData(pixels, 0, 0);
  return picture;
}

// Lines on two axes, the upright one logarithmic. Each line ends in its mark.
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
  for (const each of lines) {
    const points = each.points.map(([a, v]) => [x(a), Number.isFinite(v) ? y(clipped(v)) : NaN]);
    line(pen, points, each.look);
    const marked = points.filter(([, v]) => Number.isFinite(v)).at(each.marked ?? -1);
    if (marked) mark(pen, marked, each.look, 5);
  }
}
