// The explorer's picture. Python worked out every number and every word; this draws, moves and selects.
// One module for JupyterLab, Notebook 7 and pages without a kernel: `render` is anywidget's, `still` is for pages.

const STYLE = `
.pex{--paper:#fff;--ink:#1f2328;--quiet:#59636e;--grid:#e4e7eb;--edge:#7d8590;--focus:#0a58a6;--train:#b35309;
--validation:#0a58a6;--best:#0b6b3a;--stop:#9b1239;--window:#7a4b00;--fill:#fdf0cf;--hatch:#e3c67f;--saved:#5b3a9e;
--lane:#f3f0fa;--ghost:#7d8590;--shade:#eef0f3;
background:var(--paper);color:var(--ink);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
max-width:760px;padding:10px 12px 8px;box-sizing:border-box;border-radius:6px;contain:layout style}
.pex[data-theme=dark]{--paper:#14181d;--ink:#e6e8eb;--quiet:#a2abb5;--grid:#2b3138;--edge:#79838e;--focus:#6cb2ff;
--train:#f0a35c;--validation:#6cb2ff;--best:#4cc38a;--stop:#ff7a93;--window:#e0b050;--fill:#2e2610;--hatch:#5c4a1a;
--saved:#b9a2ff;--lane:#201c2f;--ghost:#79838e;--shade:#1f252c;color-scheme:dark}
.pex *{box-sizing:border-box}
.pex p{margin:6px 0;max-width:none}
.pex .row{display:flex;flex-wrap:wrap;align-items:center;gap:4px 16px;margin:3px 0}
.pex .field{display:flex;align-items:center;gap:8px;min-width:0}
.pex .field.wide{flex:1 1 300px}.pex .field.half{flex:1 1 250px}
.pex label{white-space:nowrap}.pex .field.wide>label{min-width:4.2em}
.pex input,.pex select,.pex button{font:inherit;color:var(--ink);background:var(--paper);accent-color:var(--validation)}
.pex input[type=range]{flex:1 1 60px;min-width:40px;height:22px;margin:0}
.pex input[type=number],.pex input[type=text],.pex select,.pex button{border:1px solid var(--edge);border-radius:4px;
padding:2px 6px;min-height:26px}
.pex input[type=number]{width:5.6em}.pex input[type=text]{width:6em}.pex select{max-width:100%}
.pex input[type=checkbox]{width:16px;height:16px;margin:0}
.pex button{cursor:pointer;padding:2px 9px}.pex button:hover{background:var(--shade)}
.pex :focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.pex .stage:focus-visible{outline-offset:-3px}
.pex input[aria-invalid=true]{border:2px solid var(--stop)}
.pex .said{min-height:4.35em}.pex .quiet{color:var(--quiet);font-size:13px}
.pex .problem{color:var(--stop);font-weight:600}.pex .problem:empty{display:none}
.pex .notes{margin:4px 0;padding-left:1.2em}.pex .notes:empty{display:none}
.pex .zoom{justify-content:flex-end;gap:6px;margin:0 0 -6px}
.pex .stage{border-radius:4px;contain:layout style}
.pex svg{display:block;width:100%;height:auto;font-size:12.5px;user-select:none;-webkit-user-select:none}
.pex svg text{fill:var(--ink)}.pex .pick{cursor:pointer}
.pex .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.pex details{margin-top:4px}.pex summary{cursor:pointer}
.pex table{border-collapse:collapse;font-size:13px;margin:6px 0;display:table}
.pex .scroll{max-height:16em;overflow:auto}
.pex th,.pex td{border-bottom:1px solid var(--grid);padding:2px 14px 2px 0;text-align:right;color:var(--ink);
background:var(--paper)}
.pex tr[aria-current] td{font-weight:700}
@media print{.pex .row,.pex details{display:none}}`;

const HIGH = 330, PANEL = 150, ROW = 16, LEAST = 5; // pixels; the closest zoom, in epochs
let made = 0;

const h = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const tag = (name, attributes, inside = "") =>
  `<${name} ${Object.entries(attributes).map(([k, v]) => `${k}="${v}"`).join(" ")}>${inside}</${name}>`;
const px = (number) => Math.round(number * 10) / 10;
const plain = (text) => text.replaceAll("**", "");

let pen;
const widths = new Map();
function wide(words, bold = false) {
  // All digits are equally wide.
  const text = words.replace(/\d/g, "0"), key = text + bold, known = widths.get(key);
  if (known !== undefined) return known;
  pen ??= document.createElement("canvas").getContext("2d");
  pen.font = `${bold ? "600 " : ""}12.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`;
  widths.set(key, pen.measureText(text).width);
  return widths.get(key);
}

// Steps of 1, 2 or 5 times a power of ten.
function ticks(low, high, most, whole = false) {
  if (!(high > low)) return [low];
  let step = 10 ** Math.floor(Math.log10((high - low) / most));
  step *= [1, 2, 5, 10].find((s) => (high - low) / (s * step) <= most);
  if (whole) step = Math.max(1, Math.round(step));
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1) found.push(Number((n * step).toPrecision(12)));
  return found;
}
function logTicks(low, high) {
  const found = [];
  for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k += 1) {
    for (const s of Math.log10(high / low) > 2.5 ? [1] : [1, 2, 5]) found.push(s * 10 ** k);
  }
  return found.filter((t) => t >= low && t <= high);
}
const shown = (number) => {
  const size = Math.abs(number);
  return size && (size < 1e-3 || size >= 1e5) ? number.toExponential().replace("+", "") : String(Number(number.toPrecision(8)));
};

// A row of words, as it was packed: for each line the number of its form, and its numbers.
function unpack(data, patience) {
  return data.rows[patience].split("|").map((line) => {
    const [form, ...numbers] = line.split(" ");
    let next = 0;
    return data.forms[form].replace(/\x01/g, () => numbers[next++]);
  });
}

// Texts above the picture, each as low as it neither covers another text nor another text's line.
function place(labels, width) {
  const put = [];
  for (const label of labels.filter((l) => l.text)) {
    const size = wide(label.text, true);
    search: for (let row = 0; row < 3; row += 1) {
      for (const side of label.sides) {
        let start = label.x + { left: -size - 5, right: 5, centre: -size / 2 }[side];
        if (side === "centre") start = Math.min(Math.max(start, 2), width - size - 2);
        if (start < 1 || start + size > width - 1) continue;
        const clear = put.every((other) => {
          if (other.row === row && start < other.start + other.size + 8 && other.start < start + size + 8) return false;
          if (other.line && other.row >= row && other.x > start - 3 && other.x < start + size + 3) return false;
          return !(label.line && other.row < row && label.x > other.start - 3 && label.x < other.start + other.size + 3);
        });
        if (!clear) continue;
        put.push({ ...label, row, start, size });
        break search;
      }
    }
  }
  return put;
}

const STAR = Array.from({ length: 10 }, (_, i) => {
  const r = i % 2 ? 4 : 9.5, a = (i * Math.PI) / 5;
  return `${px(r * Math.sin(a))} ${px(-r * Math.cos(a))}`;
}).join("L");
const CROSS = "M-5.5 -5.5L5.5 5.5M5.5 -5.5L-5.5 5.5";

// -- the picture ------------------------------------------------------------------------------------------------------

class Picture {
  constructor(stage, name) {
    this.stage = stage;
    this.name = name;
    this.width = 640;
    this.view = null; // first and last epoch, as a person counts; null shows the part that matters
  }

  set(data) {
    if (data.name !== this.data?.name || data.train?.length !== this.data?.train?.length) this.view = null;
    this.data = data;
    this.curves = ["train", "validation"].filter((half) => data[half]);
    this.length = data[data.watched].length;
    this.all = [data.first + 1, data.first + this.length];
    this.texts = null;
  }

  // What matters: the best epoch, where the smallest patience that finds it stops, and where this one does.
  matters(patience) {
    const { data } = this, first = this.all[0], at = (p) => data.last[Math.min(p, data.stopping - 1)] + 1 - first;
    let end = Math.max(data.top + 1 - first, data.stopping ? at(patience) : 0, data.stopping && data.enough !== null ? at(data.enough) : 0);
    if (patience >= data.stopping && data.stopping) end = Math.max(data.top + 1 - first, at(data.stopping));
    end = Math.max(20, Math.ceil(end * 1.25));
    return end > 0.75 * this.length ? this.all : [first, first + end];
  }

  window(patience) {
    if (this.view) return this.view;
    const found = this.matters(patience);
    // A step of patience moves the axis only when its stop would be out of sight.
    if (this.kept && this.kept[1] >= found[1] && this.kept[1] <= this.all[1]) return this.kept;
    return (this.kept = found);
  }

  zoom(factor, middle, patience) {
    const [a, b] = this.window(patience), at = middle ?? (a + b) / 2;
    const span = Math.min(Math.max((b - a) * factor, LEAST), this.all[1] - this.all[0]);
    this.look(at - ((at - a) / (b - a || 1)) * span, span);
  }

  move(share, patience) {
    const [a, b] = this.window(patience);
    this.look(a + share * (b - a), b - a);
  }

  look(start, span) {
    const a = Math.max(this.all[0], Math.min(start, this.all[1] - span));
    this.view = [a, Math.min(this.all[1], a + span)];
  }

  // The axes and the curves: drawn anew when the run, the settings, the part or the size changes.
  drawAxes(view) {
    const { data, width } = this, [a, b] = view;
    this.drawn = { data, width, a, b, reach: this.reach, view: this.view };
    this.bottom = HIGH - 44;
    this.top = 3 * ROW + 12;
    const lane = (this.lane = 20), room = Math.max(0.5, 0.025 * (b - a));
    const inView = (half) => (data[half] ?? []).filter((v, i) => typeof v === "number" && i + data.first + 1 >= a - 1 && i + data.first + 1 <= b + 1);
    const watched = inView(data.watched), values = this.curves.flatMap(inView).filter((v) => Math.abs(v) < 1e300);
    let low = Math.min(...values), high = Math.max(...values);
    if (!values.length) [low, high] = [0, 1];
    const log = data.log && low > 0 && high / low > 20;
    const across = this.all[0] === Math.round(a) && this.all[1] === Math.round(b);
    if (!log && !across && watched.length > 8) {
      // A part of the run: the first epochs, far above all others, may leave the picture.
      const sorted = [...values].sort((x, y) => x - y), most = sorted[Math.floor(sorted.length * 0.93)];
      if (high - low > 1.6 * (most - low) && most > low) high = low + 1.3 * (most - low);
    }
    const base = data.settings.baseline;
    if (base !== null && base > low - 0.5 * (high - low) && base < high + 0.5 * (high - low)) [low, high] = [Math.min(low, base), Math.max(high, base)];
    if (low === high) [low, high] = low ? [low - Math.abs(low) * 0.1, high + Math.abs(high) * 0.1] : [-0.5, 0.5];
    const into = log ? Math.log10 : (v) => v;
    const marks = log ? logTicks(low, high) : ticks(low, high, 7);
    this.left = 34 + Math.max(24, ...marks.map((t) => wide(shown(t))));
    this.right = width - 78;
    const w = this.right - this.left, up = this.bottom - lane - this.top - 12;
    this.x = (epoch) => this.left + ((epoch - a + room) / (b - a + 2 * room)) * w;
    this.epochAt = (x) => a - room + ((x - this.left) / w) * (b - a + 2 * room);
    this.y = (value) => this.bottom - lane - 6 - ((into(value) - into(low)) / (into(high) - into(low))) * up;
    const { x, y } = this;
    let out = "", ignored = "";
    if (data.settings.start_from_epoch > data.first) {
      const end = Math.min(this.right, x(data.settings.start_from_epoch + 0.5));
      if (end > this.left) {
        ignored = tag("rect", { "data-mark": "ignored", x: this.left, y: this.top, width: px(end - this.left), height: this.bottom - this.top, fill: "var(--shade)" });
        if (end - this.left > wide(data.said.ignored) + 8) out += tag("text", { x: this.left + 5, y: this.bottom - lane - 6, "font-style": "italic", style: "fill:var(--quiet)" }, escape(data.said.ignored));
      }
    }
    out += tag("rect", { x: this.left, y: this.bottom - lane, width: w, height: lane, fill: "var(--lane)" });
    for (const t of marks) {
      out += tag("path", { d: `M${this.left} ${px(y(t))}H${this.right}`, stroke: "var(--grid)" });
      out += tag("text", { x: this.left - 6, y: px(y(t) + 4), "text-anchor": "end" }, shown(t));
    }
    const steps = ticks(a, b, w < 340 ? 6 : 11, true).filter((t) => t >= this.all[0]);
    if (steps[0] !== this.all[0] && a <= this.all[0] && (steps.length < 2 || steps[0] - this.all[0] > 0.55 * (steps[1] - steps[0]))) steps.unshift(this.all[0]);
    else if (a <= this.all[0] && steps[0] !== this.all[0]) steps[0] = this.all[0];
    for (const t of steps) {
      out += tag("path", { d: `M${px(x(t))} ${this.bottom}v4`, stroke: "var(--quiet)" });
      out += tag("text", { x: px(x(t)), y: this.bottom + 17, "text-anchor": "middle" }, t);
    }
    out += tag("path", { d: `M${this.left} ${this.top}V${this.bottom}H${this.right}`, fill: "none", stroke: "var(--quiet)" });
    out += tag("text", { x: px((this.left + this.right) / 2), y: this.bottom + 35, "text-anchor": "middle" }, "epoch");
    out += tag("text", { transform: `translate(14 ${px((this.top + this.bottom) / 2)}) rotate(-90)`, "text-anchor": "middle" }, escape(data.axis) + (log ? " (log scale)" : ""));
    if (base !== null) {
      const at = y(base), inside = at > this.top && at < this.bottom - lane;
      if (inside) {
        out += tag("path", { "data-mark": "baseline", d: `M${this.left} ${px(at)}H${this.right}`, stroke: "var(--ink)", "stroke-width": 1.5, "stroke-dasharray": "9 3 2 3" });
        out += tag("text", { x: this.left + 6, y: px(at - 5) }, escape(data.said.baseline));
      } else out += tag("text", { "data-mark": "baseline", x: this.left + 6, y: at <= this.top ? this.top + 13 : this.bottom - lane - 6 }, `${escape(data.said.baseline)} ${at <= this.top ? "↑" : "↓"}`);
    }
    // The names of the curves, beside where they leave the picture.
    const names = this.curves.map((half) => [Math.min(this.bottom - lane - 6, Math.max(this.top + 8, y(inView(half).at(-1) ?? low))), half]).sort((p, q) => p[0] - q[0]);
    if (names.length === 2 && names[1][0] - names[0][0] < 16) {
      const middle = (names[0][0] + names[1][0]) / 2;
      [names[0][0], names[1][0]] = [middle - 8, middle + 8];
    }
    for (const [at, half] of names) out += tag("text", { x: this.right + 8, y: px(at + 4), "font-weight": 600, style: `fill:var(--${half})` }, half);
    const lines = this.curves.map((half) => [half, this.path(half)]);
    const clip = (id) => `clip-path="url(#${this.name}-${id})"`;
    const stroke = { train: 'stroke-width="2.2" stroke-dasharray="8 3.5"', validation: 'stroke-width="2.8"' };
    const ghost = { train: { "stroke-width": 1.4, "stroke-dasharray": "8 3.5" }, validation: { "stroke-width": 2 } };
    // Grey behind the stop, dashed where the curve was: by colour alone the two could not be told apart.
    const ghosts = lines.map(([half, line]) => tag("path", { "data-mark": "ghost", d: line.d, fill: "none", stroke: "var(--ghost)", ...ghost[half] })).join("");
    const crowd = b - a < 42;
    const dots = lines.map(([half, line]) => line.points.filter((p) => p.alone || (crowd && half === "validation")).map((p) => `<circle cx="${p.x}" cy="${p.y}" r="3.2" fill="var(--${half})" stroke="var(--paper)"/>`).join("")).join("");
    const close = data.close.map((e) => [x(e + 1), data[data.watched][e - data.first]]).filter(([at, v]) => at >= this.left && at <= this.right && typeof v === "number");
    const missed = close.map(([at, v]) => `<path d="M${px(at - 5)} ${px(y(v))}l5 -5l5 5l-5 5z"/>`).join("");
    const odd = data[data.watched].map((v, i) => (v === false ? x(i + data.first + 1) : null)).filter((at) => at !== null && at >= this.left && at <= this.right);
    const crosses = odd.map((at) => `M${px(at - 4)} ${this.top + 2}l8 8m0 -8l-8 8`).join("");
    if (odd.length) out += tag("text", { x: this.right - 4, y: this.top + 15, "text-anchor": "end" }, data.said.odd);
    const plot = (id, at, until, more) => `<clipPath id="${this.name}-${id}"><rect x="${px(at)}" y="${this.top - more}" width="${px(Math.max(0, until - at))}" height="${this.bottom - this.top + more}"/></clipPath>`;
    const main =
      `<defs>${plot("plot", this.left, this.right, 0)}${plot("ran", this.left, this.right, 0)}${plot("dots", this.left, this.right, 4)}${plot("rest", this.left, this.right, 0)}` +
      `<pattern id="${this.name}-hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" fill="var(--fill)"/><path d="M0 0V7" stroke="var(--hatch)" stroke-width="2"/></pattern></defs>` +
      `${ignored}<g data-layer="under"></g>${out}<g ${clip("rest")}>${ghosts}</g>` +
      `<g ${clip("ran")}>${lines.map(([half, line]) => `<path data-mark="${half}" d="${line.d}" fill="none" stroke="var(--${half})" ${stroke[half]} stroke-linejoin="round"/>`).join("")}</g>` +
      `<g ${clip("dots")}>${dots}<path data-mark="not-finite" d="${crosses}" fill="none" stroke="var(--ink)" stroke-width="1.8"/>${missed ? `<g data-mark="close" fill="var(--paper)" stroke="var(--validation)" stroke-width="1.6">${missed}</g>` : ""}</g><g data-layer="over"></g>`;
    this.stage.innerHTML = `<svg role="img" viewBox="0 0 ${width} ${this.high()}" width="${width}" height="${this.high()}">${main}${this.drawPanels()}</svg>`;
    this.svg = this.stage.firstChild;
    [this.under, this.over, this.choice] = ["under", "over", "choice"].map((layer) => this.svg.querySelector(`[data-layer=${layer}]`));
    this.clips = Object.fromEntries(["ran", "dots", "rest"].map((id) => [id, this.svg.querySelector(`#${this.name}-${id} rect`)]));
  }

  path(half) {
    const { data } = this, points = [];
    let d = "", move = true;
    data[half].forEach((value, i) => {
      if (typeof value === "number") {
        const at = px(this.x(i + data.first + 1)), y = px(Math.min(Math.max(this.y(value), -4000), 4000));
        d += `${move ? "M" : "L"}${at} ${y}`;
        points.push({ x: at, y, start: move, end: false, alone: false });
        move = false;
      } else if (value === false) {
        if (points.length) points.at(-1).end = true;
        move = true;
      }
    });
    if (points.length) points.at(-1).end = true;
    for (const point of points) point.alone = point.start && point.end;
    return { d, points };
  }

  height(epoch) {
    const value = this.data[this.data.watched][epoch - this.data.first];
    if (typeof value !== "number") return this.top + 6;
    return Math.min(Math.max(this.y(value), this.top), this.bottom - this.lane);
  }

  // The marks of one patience, over axes that stay.
  draw(patience, words) {
    const { data } = this, view = this.window(patience), was = this.drawn, most = data.rows.length - 1;
    // Below, too, what matters: twice the patience that is enough, and the one that is chosen.
    const all = view[0] <= this.all[0] && view[1] >= this.all[1], matter = Math.max(20, 2 * (data.enough ?? most), 2 * (data.summary?.done.indexOf(data.summary.done.at(-1)) ?? 0));
    if (all || matter > 0.6 * most || patience > matter) this.reach = most;
    else if (!was || was.data !== data || was.view !== this.view || patience > this.reach) this.reach = Math.min(matter, most);
    if (!was || was.reach !== this.reach || was.data !== data || was.width !== this.width || was.a !== view[0] || was.b !== view[1]) this.drawAxes(view);
    const { x, left, right, top, bottom } = this, [, stopText, bestText, keptText, windowText, neverText, savedText] = words;
    const last = data.last[patience], stops = patience < data.stopping, end = Math.min(Math.max(x(last + 1), left), right);
    const inside = (at) => at >= left - 1 && at <= right + 1;
    this.clips.ran.setAttribute("width", px(end + 1 - left));
    this.clips.dots.setAttribute("width", px(end + 5 - left));
    this.clips.rest.setAttribute("x", px(end));
    this.clips.rest.setAttribute("width", px(right - end));
    const start = data.waiting[patience], a = Math.min(Math.max(x(start), left), right);
    const bar = (from, to, color) => (to > from ? `<path d="M${px(from)} ${top}H${px(to)}" stroke="${color}" stroke-width="3.5"/>` : "");
    this.under.innerHTML = start < 0 || end <= a ? "" : `<rect data-mark="patience-window" x="${px(a)}" y="${top}" width="${px(end - a)}" height="${bottom - top}" fill="url(#${this.name}-hatch)"/>${bar(a, end, "var(--window)")}`;
    const best = data.best.length ? data.best[patience] : null, kept = data.kept[patience];
    let out = neverText ? bar(end, x(this.all[1]) < right ? x(this.all[1]) : right, "var(--ghost)") : "";
    const labels = [];
    if (stops && inside(x(last + 1))) labels.push({ x: x(last + 1), text: stopText, color: "var(--stop)", sides: ["right", "left"], line: `stroke-width="2.4" data-mark="stop"`, from: bottom });
    if (best !== null && inside(x(best + 1))) labels.push({ x: x(best + 1), text: bestText, color: "var(--best)", sides: ["left", "right"], line: 'stroke-width="1.8" stroke-dasharray="2 3"', from: this.height(best) });
    if (keptText && inside(x(kept + 1))) labels.push({ x: x(kept + 1), text: keptText, color: "var(--ink)", sides: ["right", "left"], line: 'stroke-width="1.2"', from: this.height(kept) });
    if (start >= 0 && end > a) labels.push({ x: (a + end) / 2, text: windowText, color: "var(--window)", sides: ["centre"] });
    const rest = Math.min(x(this.all[1]), right);
    if (neverText && rest > end + 3) labels.push({ x: (end + rest) / 2, text: neverText, color: "var(--quiet)", sides: ["centre"], italic: true });
    for (const label of place(labels, this.width)) {
      const base = top - 6 - label.row * ROW;
      if (label.line) out += `<path d="M${px(label.x)} ${px(label.from)}V${px(base - 10)}" stroke="${label.color}" ${label.line}/>`;
      out += `<text x="${px(label.start)}" y="${px(base)}" font-weight="600"${label.italic ? ' font-style="italic"' : ""} style="fill:${label.color}">${escape(label.text)}</text>`;
    }
    // Saved files: bars in their lane.
    const thick = Math.max(1, Math.min(9, 0.62 * (x(2) - x(1))));
    let bars = "";
    for (const epoch of data.saves) {
      if (epoch > last) break;
      const at = x(epoch + 1);
      if (inside(at)) bars += `M${px(at - thick / 2)} ${bottom - this.lane + 5}h${px(thick)}v9h-${px(thick)}z`;
    }
    out += `<path data-mark="saved" d="${bars}" fill="var(--saved)"/><text x="${right + 8}" y="${bottom - 6}" style="fill:var(--saved)">${escape(savedText)}</text>`;
    const mark = (epoch, shape, look) => (inside(x(epoch + 1)) ? `<path d="${shape}" transform="translate(${px(x(epoch + 1))} ${px(this.height(epoch))})" ${look}/>` : "");
    if (stops) out += mark(last, CROSS, 'fill="none" stroke="var(--paper)" stroke-width="6"') + mark(last, CROSS, 'fill="none" stroke="var(--stop)" stroke-width="3.2"');
    if (inside(x(kept + 1))) out += `<circle data-mark="kept" cx="${px(x(kept + 1))}" cy="${px(this.height(kept))}" r="11.5" fill="none" stroke="var(--ink)" stroke-width="2.2"/>`;
    if (best !== null) out += mark(best, `M${STAR}Z`, 'data-mark="best" fill="var(--best)" stroke="var(--paper)" stroke-width="1"');
    this.over.innerHTML = out;
    this.choice.innerHTML = this.panels.map((panel) => this.drawChoice(panel, patience)).join("");
  }

  // -- every patience at once, below ------------------------------------------------------------------------------

  high() {
    return HIGH + 6 + (PANEL + 6) * (this.width < 520 ? this.panelsOf().length : 1);
  }

  panelsOf() {
    const { data } = this, end = this.reach + 1, panels = [
      { title: "epochs run", values: data.ran.slice(0, end) },
      { title: data.said.missed, values: data.missed.slice(0, end) },
    ];
    if (data.summary) panels.push({ title: `of ${data.summary.runs} runs, best reached`, values: data.summary.done.slice(0, end), whole: data.summary.runs });
    return panels;
  }

  drawPanels() {
    const found = this.panelsOf(), stacked = this.width < 520, each = stacked ? this.width : this.width / found.length;
    this.panels = found.map((panel, i) => {
      const left = (stacked ? 0 : i * each) + 46, right = left + each - 46 - (stacked ? 78 : 26), top = HIGH + 30 + (stacked ? i * (PANEL + 6) : 0), bottom = top + PANEL - 58;
      const known = panel.values.filter((v) => v !== null), high = panel.whole ?? Math.max(...known, 0), count = Math.max(panel.values.length - 1, 1);
      const x = (p) => left + 4 + (p / count) * (right - left - 8), y = (v) => bottom - 3 - (v / (high > 0 ? high : 1)) * (bottom - top - 6);
      return { ...panel, left, right, top, bottom, high, count, x, y };
    });
    return `${this.panels.map((panel) => this.drawPanel(panel)).join("")}<g data-layer="choice"></g>`;
  }

  drawPanel({ title, values, whole, left, right, top, bottom, high, count, x, y }) {
    let out = "", d = "", move = true, at = left - 40, words = title;
    // A title that is too long for its panel loses what stands in brackets to a second line.
    const cut = wide(words, true) > right - at + 20 ? words.indexOf(" (") : -1;
    out += tag("text", { x: at, y: top - (cut > 0 ? 20 : 12), "font-weight": 600 }, escape(cut > 0 ? words.slice(0, cut) : words));
    if (cut > 0) out += tag("text", { x: at, y: top - 6, style: "fill:var(--quiet);font-size:11.5px" }, escape(words.slice(cut + 1)));
    for (const t of ticks(0, high > 0 ? high : 1, 3, high === Math.round(high) && high > 1)) {
      out += tag("path", { d: `M${left} ${px(y(t))}H${right}`, stroke: "var(--grid)" }) + tag("text", { x: left - 5, y: px(y(t) + 4), "text-anchor": "end" }, shown(t));
    }
    for (const t of ticks(0, count, right - left < 150 ? 3 : 5, true)) {
      out += tag("path", { d: `M${px(x(t))} ${bottom}v3`, stroke: "var(--quiet)" }) + tag("text", { x: px(x(t)), y: bottom + 15, "text-anchor": "middle" }, t);
    }
    out += tag("path", { d: `M${left} ${top}V${bottom}H${right}`, fill: "none", stroke: "var(--quiet)" });
    out += tag("text", { x: px((left + right) / 2), y: bottom + 29, "text-anchor": "middle" }, "patience");
    values.forEach((v, p) => {
      if (v === null) move = true;
      else {
        d += move ? `M${px(x(p))} ${px(y(v))}` : `H${px(x(p))}V${px(y(v))}`;
        move = false;
      }
    });
    const { enough } = this.data;
    if (enough !== null && enough <= count && !whole) {
      out += tag("path", { d: `M${px(x(enough))} ${top}V${bottom}`, stroke: "var(--best)", "stroke-width": 1.8, "stroke-dasharray": "2 3", "data-mark": "enough" });
      out += tag("path", { d: `M${STAR}Z`, transform: `translate(${px(x(enough))} ${bottom}) scale(.75)`, fill: "var(--best)", stroke: "var(--paper)" });
    }
    out += tag("path", { d, fill: "none", stroke: "var(--validation)", "stroke-width": 2.4, "stroke-linejoin": "round" });
    return out + tag("rect", { class: "pick", x: left, y: top, width: px(right - left), height: bottom - top, fill: "transparent" });
  }

  drawChoice({ values, left, right, top, bottom, x, y, whole }, patience) {
    const value = values[Math.min(patience, values.length - 1)], at = px(x(patience));
    const text = value === null ? "unknown" : whole ? `${value} of ${whole}` : shown(Number(value.toPrecision(whole === undefined && !Number.isInteger(value) ? 3 : 8)));
    const side = at + 8 + wide(text, true) < right + 24 ? ["start", 6] : ["end", -6];
    let out = `<path data-mark="choice" d="M${at} ${top}V${bottom}" stroke="var(--stop)" stroke-width="2"/>`;
    if (value !== null) out += `<path d="${CROSS}" transform="translate(${at} ${px(y(value))}) scale(.9)" stroke="var(--paper)" stroke-width="6"/><path d="${CROSS}" transform="translate(${at} ${px(y(value))}) scale(.9)" stroke="var(--stop)" stroke-width="3"/>`;
    const low = value !== null && y(value) < top + 16 ? top + 30 : top + 11;
    return `${out}<text x="${at + side[1]}" y="${low}" text-anchor="${side[0]}" font-weight="600" paint-order="stroke" stroke="var(--paper)" stroke-width="4" style="fill:var(--stop)">${text}</text>`;
  }

  patienceAt(x, y) {
    const panel = this.panels.find((p) => x >= p.left - 8 && x <= p.right + 8 && y >= p.top - 12 && y <= p.bottom + 4);
    return panel ? Math.min(Math.max(Math.round(((x - panel.left - 4) / (panel.right - panel.left - 8)) * panel.count), 0), panel.count) : null;
  }
}

// -- the controls around it -------------------------------------------------------------------------------------------

function render({ model, el }) {
  const name = `pex${(made += 1)}-${Math.random().toString(36).slice(2, 8)}`, alone = model.still === true;
  const root = h("div", { class: "pex patience-explorer" }), ends = [];
  const style = h("style");
  style.textContent = STYLE;

  const range = (what, label, kind) => {
    const slider = h("input", { type: "range", id: `${name}-${what}`, min: 0, step: 1 });
    const number = h("input", { type: "number", min: 0, step: "any", "aria-label": `${label}, as a number` });
    return { slider, number, field: h("div", { class: `field ${kind}` }, h("label", { for: `${name}-${what}` }, label), slider, number) };
  };
  const check = (what) => {
    const box = h("input", { type: "checkbox", id: `${name}-${what}` });
    return { box, field: h("div", { class: "field" }, box, h("label", { for: `${name}-${what}` }, what)) };
  };
  const chooser = h("select", { id: `${name}-run` });
  for (const [value, label] of model.get("choices")) chooser.append(h("option", { value }, label));
  const together = h("span", { class: "quiet" });
  const patience = range("patience", "patience", "wide");
  const delta = range("min_delta", "min_delta", "half"), start = range("start_from_epoch", "start_from_epoch", "half");
  const baseline = h("input", { type: "text", id: `${name}-baseline`, placeholder: "none", inputmode: "decimal" });
  const restores = check("restore_best_weights"), saves = check("save_best_only");
  const problem = h("p", { class: "problem", role: "alert" }), said = h("p", { class: "said" });
  const status = h("div", { class: "hidden", role: "status" });
  const stage = h("div", { class: "stage", tabindex: 0, role: "group", "aria-label": "Picture. Keys: plus and minus zoom, left and right move, 0 shows all epochs, Home the part that matters." });
  const nearer = h("button", { type: "button", "aria-label": "Zoom in" }, "+"), farther = h("button", { type: "button", "aria-label": "Zoom out" }, "−");
  const whole = h("button", { type: "button" }), hint = h("span", { class: "quiet" }, "Ctrl + wheel zooms");
  const twin = h("p"), holder = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Every patience, as a table" }), settings = h("span", { class: "quiet" });
  const notes = h("ul", { class: "quiet notes" });
  const details = h("details", {}, h("summary", {}, "In words, and as a table"), twin, holder);
  if (model.get("choices").length > 1) root.append(h("div", { class: "row" }, h("div", { class: "field wide" }, h("label", { for: `${name}-run` }, "run"), chooser), together));
  root.append(h("div", { class: "row" }, patience.field));
  if (alone) root.append(h("div", { class: "row" }, settings));
  else root.append(h("div", { class: "row" }, delta.field, start.field), h("div", { class: "row" }, h("div", { class: "field" }, h("label", { for: `${name}-baseline` }, "baseline"), baseline), restores.field, saves.field));
  root.append(problem, said, h("div", { class: "row zoom" }, hint, farther, nearer, whole), stage, details, notes, status);
  el.replaceChildren(style, root);

  const picture = new Picture(stage, name);
  let data, now = 0, words, telling, sending;

  const announce = (text) => {
    clearTimeout(telling); // only what is settled is spoken
    telling = setTimeout(() => {
      status.textContent = text;
      // Whoever reads on must not meet it again at the end.
      telling = setTimeout(() => { status.textContent = ""; }, 15000);
    }, 350);
  };
  const rich = (text) => escape(text).replace(/\*\*(.+?)\*\*/g, "<b>$1</b>");

  function show() {
    now = Math.min(Math.max(Math.round(now) || 0, 0), data.rows.length - 1);
    words = unpack(data, now);
    picture.draw(now, words);
    said.innerHTML = `${rich(words[0])} ${rich(data.said.enough)}`;
    twin.textContent = `Learning curves. ${data.said.curves} ${words.slice(7).join(" ")}`;
    // Once: where its words are unfolded below, the picture only has a name.
    picture.svg.setAttribute("aria-label", details.open ? "Learning curves, in words below." : twin.textContent);
    // A slider of thousands of steps cannot be set: it ends where the pictures below do, the field beside it does not.
    patience.slider.max = data.rows.length > 301 ? picture.reach : data.rows.length - 1;
    patience.slider.value = now;
    if (document.activeElement !== patience.number) patience.number.value = now;
    if (details.open) inWords();
    zoomed();
  }

  function inWords() {
    const few = data.rows.length <= 61, rows = data.rows.map((_, p) => p).filter((p) => few || p <= 20 || p === now || p === data.enough || p === data.rows.length - 1 || (data.best.length && (data.best[p] !== data.best[p - 1] || data.best[p] !== data.best[p + 1])));
    const head = ["patience", "epochs run", "kept epoch", `${data.monitor} missed`, ...(data.summary ? ["runs reached"] : [])];
    const cells = (p) => [p, data.ran[p], data.kept[p] + 1, data.missed[p] === null ? "unknown" : shown(Number(data.missed[p].toPrecision(4))), ...(data.summary ? [`${data.summary.done[p]} of ${data.summary.runs}`] : [])];
    const seen = rows.slice(0, 200).concat(rows.length > 200 && now > rows[199] ? [now] : []);
    holder.innerHTML = `<table><thead><tr>${head.map((c) => `<th scope="col">${escape(c)}</th>`).join("")}</tr></thead><tbody>${seen.map((p) => `<tr${p === now ? ' aria-current="true"' : ""}>${cells(p).map((c) => `<td>${c}</td>`).join("")}</tr>`).join("")}</tbody></table>`;
  }

  function zoomed() {
    const [a, b] = picture.window(now), full = a <= picture.all[0] && b >= picture.all[1];
    whole.textContent = full && picture.matters(now) !== picture.all ? "What matters" : `All ${picture.length} epochs`;
    stage.dataset.view = `${Math.round(a)}-${Math.round(b)}`;
  }

  function look(change) {
    change();
    show();
    const [a, b] = picture.window(now);
    announce(`Epochs ${Math.round(a)} to ${Math.round(b)} of ${picture.all[1]}.`);
  }
  const all = () => look(() => { picture.view = [...picture.all]; });
  const matters = () => look(() => { picture.view = picture.kept = null; });

  function fresh() {
    data = model.get("picture");
    picture.set(data);
    now = model.get("patience");
    patience.number.max = data.rows.length - 1;
    patience.number.step = 1;
    notes.replaceChildren(...data.notes.map((note) => h("li", {}, note)));
    if (data.summary) together.textContent = data.summary.said;
    chooser.value = model.get("run");
    settings.textContent = `With ${data.said.settings}. To change these, open the explorer in a notebook.`;
    const { min_delta, start_from_epoch, baseline: base, restore_best_weights, save_best_only } = data.settings;
    for (const [control, value, max, step] of [[delta, min_delta, Math.max(100 * data.unit, min_delta), data.unit], [start, start_from_epoch, Math.max(data[data.watched].length - 1, start_from_epoch), 1]]) {
      control.slider.max = max;
      control.slider.step = step;
      if (document.activeElement !== control.slider) control.slider.value = value;
      if (document.activeElement !== control.number) control.number.value = Number(value.toPrecision(6));
    }
    if (document.activeElement !== baseline) baseline.value = base ?? "";
    restores.box.checked = restore_best_weights;
    saves.box.checked = save_best_only;
    show();
  }

  function trouble() {
    const { about = "", text = "" } = model.get("problem") ?? {};
    if (problem.textContent !== text) problem.textContent = text;
    baseline.setAttribute("aria-invalid", about === "baseline");
    stage.hidden = said.hidden = about === "run";
    said.style.opacity = stage.style.opacity = text ? 0.55 : 1;
  }

  const choose = (value) => {
    if (!(value >= 0)) return;
    now = value;
    show();
    announce(plain(words[0]));
    model.set("patience", now);
    // The picture first: the kernel has time.
    clearTimeout(sending);
    sending = setTimeout(() => model.save_changes(), 15);
  };
  const ask = (what, value) => {
    model.set(what, value);
    model.save_changes();
  };
  const both = (control, what) => {
    // What was not taken does not stay in the field.
    control.number.addEventListener("change", () => { control.number.value = Number(model.get(what).toPrecision(6)); });
    for (const input of [control.slider, control.number]) {
      input.addEventListener("input", () => {
        if (input.value === "" || !(Number(input.value) >= 0)) return;
        (input === control.slider ? control.number : control.slider).value = input.value;
        ask(what, Number(input.value));
      });
    }
  };
  for (const input of [patience.slider, patience.number]) input.addEventListener("input", () => { if (input.value !== "") choose(Number(input.value)); });
  patience.number.addEventListener("change", () => { patience.number.value = now; });
  both(delta, "min_delta");
  both(start, "start_from_epoch");
  baseline.addEventListener("change", () => ask("baseline", baseline.value));
  restores.box.addEventListener("change", () => ask("restore_best_weights", restores.box.checked));
  saves.box.addEventListener("change", () => ask("save_best_only", saves.box.checked));
  chooser.addEventListener("change", () => ask("run", chooser.value));
  nearer.addEventListener("click", () => look(() => picture.zoom(0.6, null, now)));
  farther.addEventListener("click", () => look(() => picture.zoom(1 / 0.6, null, now)));
  whole.addEventListener("click", () => (whole.textContent.startsWith("All") ? all() : matters()));
  details.addEventListener("toggle", show);

  const point = (event) => {
    const box = picture.svg.getBoundingClientRect(), scale = picture.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  };
  stage.addEventListener("wheel", (event) => {
    // A page that scrolls past must not zoom by the way: Ctrl, or a click on the picture first.
    if (!(event.ctrlKey || event.metaKey || document.activeElement === stage)) return;
    const [x, y] = point(event);
    if (y > HIGH) return;
    event.preventDefault();
    look(() => picture.zoom(event.deltaY < 0 ? 0.8 : 1.25, picture.epochAt(x), now));
  }, { passive: false });
  let drag = null;
  stage.addEventListener("pointerdown", (event) => {
    const [x, y] = point(event), chosen = picture.patienceAt(x, y);
    drag = chosen !== null ? { panel: true } : y < HIGH ? { at: picture.epochAt(x) } : null;
    if (drag) stage.setPointerCapture(event.pointerId);
    if (chosen !== null) choose(chosen);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [x, y] = point(event);
    if (drag.panel) {
      const chosen = picture.patienceAt(x, Math.min(Math.max(y, 0), 1e4));
      if (chosen !== null && chosen !== now) choose(chosen);
    } else if (Math.abs(picture.epochAt(x) - drag.at) > 0.3) {
      const [a, b] = picture.window(now);
      look(() => picture.look(a + drag.at - picture.epochAt(x), b - a));
    }
  });
  for (const kind of ["pointerup", "pointercancel"]) stage.addEventListener(kind, () => { drag = null; });
  stage.addEventListener("dblclick", (event) => { if (point(event)[1] < HIGH) all(); });

  // JupyterLab and Notebook 7 take arrow keys and letters away from native inputs unless they never hear of them.
  const keys = (event) => {
    if (!root.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (["Tab", "Escape", "Shift"].includes(event.key) || (event.key === "Enter" && event.shiftKey)) return;
    event.stopImmediatePropagation();
    if (event.target !== stage) return;
    const action = {
      "+": () => look(() => picture.zoom(0.6, null, now)), "=": () => look(() => picture.zoom(0.6, null, now)),
      "-": () => look(() => picture.zoom(1 / 0.6, null, now)), ArrowLeft: () => look(() => picture.move(-0.2, now)),
      ArrowRight: () => look(() => picture.move(0.2, now)), 0: all, Home: matters,
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
  window.addEventListener("keydown", keys, true);
  ends.push(() => window.removeEventListener("keydown", keys, true));

  // Light or dark: as the application says, elsewhere as the system does.
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const theme = () => {
    const lab = document.querySelector("[data-jp-theme-light]"), body = document.body;
    let night = dark.matches;
    if (lab) night = lab.dataset.jpThemeLight === "false";
    else if (body.className.includes("vscode-")) night = /vscode-(dark|high-contrast(?!-light))/.test(body.className);
    else if (document.documentElement.hasAttribute("theme")) night = document.documentElement.getAttribute("theme") === "dark";
    else if (document.documentElement.dataset.theme) night = document.documentElement.dataset.theme === "dark";
    root.dataset.theme = night ? "dark" : "light";
  };
  const watch = new MutationObserver(theme);
  for (const node of [document.body, document.documentElement]) watch.observe(node, { attributes: true, attributeFilter: ["data-jp-theme-light", "class", "theme", "data-theme"] });
  dark.addEventListener("change", theme);
  ends.push(() => watch.disconnect(), () => dark.removeEventListener("change", theme));
  theme();

  const size = new ResizeObserver(() => {
    const room = Math.min(736, Math.max(300, Math.floor(stage.clientWidth)));
    if (stage.clientWidth && room !== picture.width) {
      picture.width = room;
      if (data) show();
    }
  });
  size.observe(stage);
  ends.push(() => size.disconnect());

  if (stage.clientWidth) picture.width = Math.min(736, Math.max(300, Math.floor(stage.clientWidth)));
  fresh();
  trouble();
  const moved = () => {
    if (model.get("patience") === now) return;
    now = model.get("patience");
    show();
  };
  for (const [event, reaction] of [["change:picture", fresh], ["change:patience", moved], ["change:problem", trouble]]) {
    model.on(event, reaction);
    ends.push(() => model.off(event, reaction));
  }
  return () => ends.forEach((end) => end());
}

// A page without a kernel: the pictures of all runs are there, and nothing is sent.
function still(el, state) {
  if (!el) return;
  el.dataset.drawn = "";
  const hears = {};
  const model = {
    still: true,
    get: (what) => (what === "picture" ? state.pictures[state.run] : state[what]),
    set(what, value) {
      state[what] = value;
      if (what === "run") for (const reaction of hears["change:picture"] ?? []) reaction();
    },
    save_changes() {},
    on: (event, reaction) => (hears[event] ??= []).push(reaction),
    off() {},
  };
  render({ model, el });
}

export default { render };
