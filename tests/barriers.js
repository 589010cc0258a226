// What a page shows, as the browser has computed it: `courseBarriers.look()` returns a sentence for each text under 4.5:1,
// each mark, border and field under 3:1, `courseBarriers.rings()` one for each element whose focus cannot be seen,
// `courseBarriers.twice()` what would be read twice. Read by barriers.py.
(() => {
  "use strict";
  const TEXT = 4.5, MARK = 3;
  const FIELD = "textarea, select, input:not([type=hidden], [type=radio], [type=checkbox], [type=range])";
  const NATIVE = "input[type=radio], input[type=checkbox], input[type=range], progress";
  // What this project draws itself; rules between rows, and those of a theme around it, are decoration.
  const OURS = '[class^="course-"], [class*=" course-"], [style*="border"], .pex, .pex :not(td, th)';
  // Areas whose meaning stands in a bar above them or in a name.
  const AREAS = ["patience-window", "ignored"];
  const TAKES_FOCUS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [contenteditable=true]";

  const brush = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const known = new Map();
  function colour(text) {
    if (!known.has(text)) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = text;
      brush.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
      known.set(text, [r / 255, g / 255, b / 255, a / 255]);
    }
    return known.get(text);
  }

  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const above = (node) => node.parentElement ?? node.getRootNode().host ?? null;
  const style = (node, part) => getComputedStyle(node, part);

  function* up(node) {
    for (; node; node = above(node)) yield node;
  }

  // What an element has from those around it; kept while nothing changes.
  let kept = new Map();
  function inherited(node) {
    if (!node) return { filters: [], opacity: 1 };
    if (!kept.has(node)) {
      const of = style(node), outer = inherited(above(node));
      const filters = [...of.filter.matchAll(/([\w-]+)\(([^)]*)\)/g)].map(([, name, value]) => [name, value]);
      const one = { filters: [...filters, ...outer.filters], opacity: outer.opacity * Number(of.opacity) };
      kept.set(node, one);
      one.layer = filtered(colour(of.backgroundColor), one.filters);
      one.ground = over(one.layer, outer.ground ?? paper());
    }
    return kept.get(node);
  }
  const paper = () => (style(document.documentElement).colorScheme.includes("dark") ? [0.07, 0.07, 0.07, 1] : [1, 1, 1, 1]);

  // Filters that are not known here fail rather than pass.
  function filtered(rgba, filters) {
    let [r, g, b, a] = rgba;
    for (const [name, value] of filters) {
      if (name === "invert") [r, g, b] = [r, g, b].map((c) => Number(value) + c * (1 - 2 * value));
      else if (name === "hue-rotate") [r, g, b] = turned([r, g, b], (parseFloat(value) * Math.PI) / 180);
      else throw new Error(`the filter ${name} is not known`);
    }
    return [r, g, b, a];
  }
  function turned([r, g, b], angle) {
    const [c, s] = [Math.cos(angle), Math.sin(angle)], weights = [0.213, 0.715, 0.072];
    const spread = [[0.787, -0.715, -0.072], [-0.213, 0.285, -0.072], [-0.213, -0.715, 0.928]];
    const twist = [[-0.213, -0.715, 0.928], [0.143, 0.14, -0.283], [-0.787, 0.715, 0.072]];
    return [0, 1, 2].map((i) => Math.min(1, Math.max(0, [r, g, b].reduce((sum, v, j) => sum + v * (weights[j] + c * spread[i][j] + s * twist[i][j]), 0))));
  }

  // The colour that lies behind what a node holds.
  const ground = (node) => inherited(node).ground;
  function drawn(text, { filters, opacity }, behind) {
    const [r, g, b, a] = filtered(colour(text), filters);
    return over([r, g, b, a * opacity], behind);
  }
  const inked = (text, node, behind) => drawn(text, inherited(node), behind);

  function seen(node) {
    if (!node.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })) return false;
    const { width, height } = node.getBoundingClientRect();
    return width > 1 && height > 1;
  }
  const hex = (rgb) => `#${rgb.slice(0, 3).map((c) => Math.round(c * 255).toString(16).padStart(2, "0")).join("")}`;
  function named(node) {
    const of = (one) => one.tagName.toLowerCase() + [...one.classList].slice(0, 3).map((c) => `.${c}`).join("") + (one.dataset?.mark ? `[${one.dataset.mark}]` : "");
    const parent = above(node);
    return `${parent ? `${of(parent)} > ` : ""}${of(node)}`;
  }

  function look(root = document.body) {
    kept = new Map();
    const found = [], speak = quiet();
    const tell = (what, node, ink, behind, least) => {
      const value = ratio(ink, behind);
      if (value < least - 0.005) found.push(`${what} ${hex(ink)} on ${hex(behind)} is ${value.toFixed(2)}: ${named(node)}`);
    };
    texts(root, tell);
    for (const node of root.querySelectorAll(FIELD)) if (seen(node)) field(node, tell);
    for (const node of root.querySelectorAll(NATIVE)) {
      const accent = style(node).accentColor;
      if (seen(node) && accent !== "auto") tell("accent", node, inked(accent, node, ground(node)), ground(node), MARK);
    }
    for (const node of root.querySelectorAll(OURS)) if (seen(node) && !node.closest("svg")) borders(node, tell);
    for (const node of root.querySelectorAll("button svg:not([aria-hidden=false]), a[href] svg")) {
      if (seen(node)) tell("icon", node, inked(style(node).color, node, ground(node)), ground(node), MARK);
    }
    for (const node of root.querySelectorAll("svg [data-mark]")) mark(node, tell);
    speak();
    return found;
  }

  function texts(root, tell) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), range = document.createRange();
    while (walker.nextNode()) {
      const node = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || !node || node.closest("script, style, noscript, template") || !seen(node)) continue;
      range.selectNode(walker.currentNode);
      if (range.getBoundingClientRect().width < 2) continue;
      word("text", node, style(node), tell);
    }
    for (const node of root.querySelectorAll(FIELD)) {
      if (!seen(node)) continue;
      word("value", node, style(node), tell);
      if (node.placeholder) word("placeholder", node, style(node, "::placeholder"), tell);
    }
  }
  function word(what, node, look, tell) {
    const size = parseFloat(look.fontSize), large = size >= 24 || (size >= 18.66 && Number(look.fontWeight) >= 700);
    const behind = ground(node), ink = node instanceof SVGElement ? look.fill : look.color;
    if (colour(ink)[3] === 0) return;
    // What cannot be used need not be read as easily.
    tell(what, node, inked(ink, node, behind), behind, large || node.closest(":disabled") ? MARK : TEXT);
  }

  const SIDES = ["Top", "Right", "Bottom", "Left"];
  function edges(node) {
    const of = style(node);
    return SIDES.filter((side) => parseFloat(of[`border${side}Width`]) > 0 && !["none", "hidden"].includes(of[`border${side}Style`])).map((side) => of[`border${side}Color`]);
  }
  const filled = (node) => ratio(ground(node), ground(above(node))) >= MARK;

  // A field is seen by its border or by its own ground; a control's line that can be moved to is one of them.
  function field(node, tell) {
    if (filled(node)) return;
    const outside = ground(above(node)), all = edges(node);
    if (!all.length) tell("field without border", node, ground(node), outside, MARK);
    else tell("field", node, all.map((one) => inked(one, node, outside)).sort((a, b) => ratio(b, outside) - ratio(a, outside))[0], outside, MARK);
  }
  function borders(node, tell) {
    if (node.matches(FIELD) || filled(node)) return;
    const outside = ground(above(node));
    for (const one of new Set(edges(node))) if (colour(one)[3] > 0) tell("border", node, inked(one, node, outside), outside, MARK);
  }
  function mark(node, tell) {
    if (AREAS.includes(node.dataset.mark) || !node.getBoundingClientRect().width) return;
    const behind = ground(node.ownerSVGElement);
    const inks = [node, ...node.querySelectorAll("*")].flatMap((one) => [style(one).stroke, style(one).fill]).filter((one) => one !== "none" && !one.startsWith("url")).map((one) => inked(one, node, behind));
    if (inks.length) tell("mark", node, inks.sort((a, b) => ratio(b, behind) - ratio(a, behind))[0], behind, MARK);
  }

  // -- the focus -------------------------------------------------------------------------------------------------

  const LOOKS = ["outlineStyle", "outlineWidth", "outlineColor", "outlineOffset", "boxShadow", "borderTopColor", "borderTopWidth", "borderTopStyle", "borderLeftColor",
    "borderLeftWidth", "borderLeftStyle", "backgroundColor", "color", "textDecorationLine", "textDecorationThickness"];
  // A focus may show on what is around the element too: the label of a radio button, the frame of an editor.
  function looks(node, steps = 5) {
    kept = new Map();
    const all = [...up(node)].slice(0, steps).map((one) => ({ node: one, ...inherited(one), ...Object.fromEntries(LOOKS.map((name) => [name, style(one)[name]])) }));
    for (const part of ["::before", "::after"]) {
      if (style(node, part).content !== "none") all.push({ node, ...inherited(node), ...Object.fromEntries(LOOKS.map((name) => [name, style(node, part)[name]])) });
    }
    return all;
  }
  // How well the two states are told apart: the best ratio of all that is different.
  function strength(before, after) {
    let best = 0;
    after.forEach((now, place) => {
      const was = before[place];
      if (!was || was.node !== now.node) return;
      const outside = above(now.node) ? ground(above(now.node)) : now.ground;
      const changed = (...names) => names.some((name) => was[name] !== now[name]);
      const against = (text, behind) => ratio(drawn(text, now, behind), behind);
      if (changed("outlineStyle", "outlineWidth", "outlineColor") && now.outlineStyle !== "none" && parseFloat(now.outlineWidth) >= 1) {
        const inner = parseFloat(now.outlineOffset) < 0 ? now.ground : outside;
        // The browser's own ring has two colours.
        if (shown(now)) best = Math.max(best, now.outlineStyle === "auto" ? MARK : against(now.outlineColor, inner));
      }
      if (changed("boxShadow") && now.boxShadow !== "none") {
        for (const [shadow] of now.boxShadow.matchAll(/(?:rgb|color|oklab|oklch|lab|lch|hsl)a?\([^)]*\)[^,]*/g)) {
          const [, , , spread = "0"] = shadow.replace(/^\w+\([^)]*\)/, "").trim().split(/\s+/);
          if (parseFloat(spread) >= 1) best = Math.max(best, against(shadow.match(/^\w+\([^)]*\)/)[0], shadow.includes("inset") ? now.ground : outside));
        }
      }
      for (const side of ["Top", "Left"]) {
        const width = parseFloat(now[`border${side}Width`]), there = now[`border${side}Style`] !== "none";
        if (!there || !changed(`border${side}Color`, `border${side}Width`)) continue;
        const [old, ink] = [was, now].map((one) => drawn(one[`border${side}Color`], one, outside));
        if (width >= 2 || ratio(old, ink) >= MARK) best = Math.max(best, ratio(ink, outside));
      }
      if (changed("backgroundColor")) best = Math.max(best, ratio(was.ground, now.ground));
      if (changed("color")) best = Math.max(best, ratio(drawn(was.color, was, now.ground), drawn(now.color, now, now.ground)));
      if (changed("textDecorationLine", "textDecorationThickness") && now.textDecorationLine !== "none") best = Math.max(best, against(now.color, now.ground));
    });
    return best;
  }
  // An outline of which not even two sides are left is none.
  function shown({ node, outlineOffset, outlineWidth }) {
    const out = parseFloat(outlineOffset) + parseFloat(outlineWidth) / 2, box = node.getBoundingClientRect();
    const cut = new Set();
    for (const one of up(above(node))) {
      if (style(one).overflowX === "visible" || one === document.documentElement || one === document.body) continue;
      const edge = one.getBoundingClientRect();
      if (box.left - out < edge.left && box.left >= edge.left - 1) cut.add("left");
      if (box.right + out > edge.right && box.right <= edge.right + 1) cut.add("right");
      if (box.top - out < edge.top && box.top >= edge.top - 1) cut.add("top");
      if (box.bottom + out > edge.bottom && box.bottom <= edge.bottom + 1) cut.add("bottom");
    }
    return cut.size < 3;
  }

  // Colours on their way from one to another are neither.
  function quiet() {
    const sheet = document.createElement("style");
    sheet.textContent = "*, *::before, *::after {transition: none !important; animation: none !important}";
    document.head.append(sheet);
    return () => sheet.remove();
  }

  function rings(root = document.body) {
    const found = [], speak = quiet();
    for (const node of root.querySelectorAll(TAKES_FOCUS)) {
      if (!seen(node) || node.tabIndex < 0 || node.matches(":disabled")) continue;
      document.activeElement?.blur();
      const before = looks(node);
      node.focus({ preventScroll: true });
      if (document.activeElement !== node) continue;
      const value = strength(before, looks(node));
      if (value < MARK - 0.005) found.push(`focus is ${value.toFixed(2)}: ${named(node)}`);
    }
    document.activeElement?.blur();
    speak();
    return found;
  }

  // For a walk by keyboard, in which the focus is moved by keys alone: the state with the focus is compared with the
  // state after it has left.
  let held = null;
  function hold() {
    quiet();
    const node = document.activeElement;
    held = { node, focused: looks(node) };
  }
  function left() {
    const { node, focused } = held;
    // What is gone has no other state: its outline alone can tell.
    const before = node.isConnected ? looks(node) : focused.map((one) => ({ ...one, outlineStyle: "none" }));
    return strength(before, focused);
  }

  // -- what is read --------------------------------------------------------------------------------------------------

  // Sentences that a screen reader would read twice in one place: in the names of two things, or in a name and in sight.
  function twice(root) {
    const sentences = (text) => text.split(/(?<=[.!?])\s|\n/).map((one) => one.trim()).filter((one) => one.split(/\s+/).length > 5);
    const names = [...root.querySelectorAll("[alt], [aria-label]")]
      .filter((one) => !one.closest("[aria-hidden=true]") && one.checkVisibility())
      .flatMap((one) => sentences(one.getAttribute("alt") ?? one.ariaLabel));
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), inSight = new Set();
    while (walker.nextNode()) {
      const node = walker.currentNode.parentElement;
      if (!node.checkVisibility() || node.closest("[aria-hidden=true], [role=img], style, script")) continue;
      for (const one of sentences(walker.currentNode.data)) inSight.add(one);
    }
    return names.filter((one, place) => inSight.has(one) || names.indexOf(one) < place).map((one) => `read twice: ${one}`);
  }

  // How an element's own ground stands out from what is around it.
  function stands(node) {
    kept = new Map();
    return ratio(ground(node), ground(above(node)));
  }

  window.courseBarriers = { look, rings, hold, left, stands, twice };
})();
