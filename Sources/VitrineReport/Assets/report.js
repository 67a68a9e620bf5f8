"use strict";
(() => {
  const written = document.getElementById("written"), day = new Date(document.lastModified);
  if (written && !isNaN(day)) written.textContent = "; file of " + day.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  const holder = document.getElementById("gallery-data");
  if (!holder) return;
  const data = JSON.parse(holder.textContent);
  // Without pictures the page has no controls either.
  if (!data.datasets.length) return;
  const control = (name) => document.getElementById("gallery-" + name);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const tables = {};
  for (const [name, hex] of Object.entries(data.colors)) {
    tables[name] = Uint8Array.from({ length: 768 }, (_, i) => parseInt(hex.substr(2 * i, 2), 16));
  }

  // The native grid as the metric saw it: repeated, or interpolated at half-pixel centres, then stretched to 0...1.
  function upsample(map, width, height) {
    const cells = bytes(map.cells);
    const out = new Float32Array(width * height);
    const [sy, sx] = [map.rows / height, map.columns / width];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let value;
        if (map.smooth) {
          const fy = Math.max(0, Math.min(map.rows - 1, (y + 0.5) * sy - 0.5)), fx = Math.max(0, Math.min(map.columns - 1, (x + 0.5) * sx - 0.5));
          const y0 = Math.floor(fy), x0 = Math.floor(fx), y1 = Math.min(y0 + 1, map.rows - 1), x1 = Math.min(x0 + 1, map.columns - 1);
          const top = cells[y0 * map.columns + x0] * (1 - fx + x0) + cells[y0 * map.columns + x1] * (fx - x0);
          const low = cells[y1 * map.columns + x0] * (1 - fx + x0) + cells[y1 * map.columns + x1] * (fx - x0);
          value = top * (1 - fy + y0) + low * (fy - y0);
        } else {
          value = cells[Math.floor((y + 0.5) * sy) * map.columns + Math.floor((x + 0.5) * sx)];
        }
        out[y * width + x] = value;
      }
    }
    let [low, high] = [Infinity, -Infinity];
    for (const v of out) { if (v < low) low = v; if (v > high) high = v; }
    if (high > low) for (let i = 0; i < out.length; i++) out[i] = (out[i] - low) / (high - low);
    return { values: out, flat: !(high > low) };
  }

  // The least value among the strongest share of the pixels.
  function threshold(shown, share) {
    if (share >= 1) return -1;
    shown.sorted ||= Float32Array.from(shown.values).sort();
    const sorted = shown.sorted, most = sorted[sorted.length - 1];
    let at = Math.floor(sorted.length * (1 - share));
    // Of equal values all or none: those that do not fit are left out, unless nothing is stronger.
    if (at > 0 && sorted[at] === sorted[at - 1] && sorted[at] < most) at += sorted.subarray(at).findIndex((v) => v > sorted[at]);
    return at < sorted.length ? sorted[at] : Infinity;
  }

  function draw(canvas, picture, map, outline) {
    // What stands in a closed part is drawn when that is opened.
    if (canvas.closest("details:not([open])")) return;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    const image = context.getImageData(0, 0, canvas.width, canvas.height);
    const pixels = image.data;
    if (map) {
      const table = tables[control("colors").value], opacity = control("opacity").value / 100;
      const shown = canvas.shown || (canvas.shown = upsample(map, canvas.width, canvas.height));
      const least = threshold(shown, control("top").value / 100);
      if (!shown.flat) {
        for (let i = 0; i < shown.values.length; i++) {
          if (shown.values[i] < least) continue;
          const at = 3 * Math.min(255, Math.floor(shown.values[i] * 256));
          for (let c = 0; c < 3; c++) pixels[4 * i + c] = pixels[4 * i + c] * (1 - opacity) + table[at + c] * opacity;
        }
      }
    }
    if (outline && control("outline").checked) {
      for (const i of outline) { pixels[4 * i] = 255; pixels[4 * i + 1] = 255; pixels[4 * i + 2] = 255; }
    }
    context.putImageData(image, 0, 0);
  }

  // Run lengths, outside first.
  function edge(runs, width, height) {
    const mask = new Uint8Array(width * height);
    let at = 0, value = 0;
    for (const run of runs) { mask.fill(value, at, at + run); at += run; value = 1 - value; }
    const out = [];
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (mask[i] && (x == 0 || y == 0 || x == width - 1 || y == height - 1 || !mask[i - 1] || !mask[i + 1] || !mask[i - width] || !mask[i + width])) out.push(i);
    }
    return out;
  }

  function picture(parent, item, map, title, caption) {
    const figure = document.createElement("figure"), canvas = document.createElement("canvas"), words = document.createElement("figcaption");
    canvas.width = item.width;
    canvas.height = item.height;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", title + " of " + item.name);
    words.textContent = title + (caption ? ": " + caption : "");
    figure.append(canvas, words);
    parent.append(figure);
    item.drawings.push(() => draw(canvas, item.picture, map, item.outline));
  }

  const list = control("cases");
  function show() {
    const set = data.datasets[control("dataset").selectedIndex];
    const model = set.models[Math.min(control("model").selectedIndex, set.models.length - 1)];
    list.replaceChildren();
    for (const item of set.cases) {
      item.drawings = [];
      const section = document.createElement("div"), heading = document.createElement("h3"), facts = document.createElement("p"), maps = document.createElement("div");
      section.className = "case";
      heading.textContent = item.kind + ": " + item.name;
      const views = item.views[model.id];
      facts.className = "note";
      facts.textContent = (item.patient ? "patient " + item.patient + "; " : "") + "lesion " + item.area + " of the view" + (views && views.says ? "; " + views.says : "");
      maps.className = "maps";
      section.append(heading, facts, maps);
      list.append(section);
      picture(maps, item, null, "image");
      if (views) {
        for (const view of views.maps) picture(maps, item, view, view.method, view.score);
        if (views.heads) {
          const details = document.createElement("details"), summary = document.createElement("summary"), heads = document.createElement("div");
          summary.textContent = "attention of the " + views.heads.length + " heads of the last block";
          heads.className = "maps heads";
          details.append(summary, heads);
          details.addEventListener("toggle", () => { if (item.picture) for (const d of item.drawings) d(); });
          section.append(details);
          views.heads.forEach((head, i) => picture(heads, item, head, "head " + (i + 1)));
        }
      }
      if (item.picture) for (const d of item.drawings) d();
      else {
        const image = new Image();
        image.onload = () => { item.picture = image; for (const d of item.drawings) d(); };
        image.src = "data:image/png;base64," + item.image;
      }
    }
  }

  function models() {
    const set = data.datasets[control("dataset").selectedIndex], choice = control("model"), before = choice.value;
    choice.replaceChildren(...set.models.map((m) => new Option(m.name, m.id)));
    if (set.models.some((m) => String(m.id) === before)) choice.value = before;
  }
  let isAsked = false;
  function change() {
    for (const name of ["opacity", "top"]) control(name + "-value").value = control(name).value + " %";
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => { isAsked = false; redraw(); });
  }
  function redraw() {
    const bar = control("bar"), context = bar.getContext("2d"), table = tables[control("colors").value];
    for (let x = 0; x < bar.width; x++) {
      const at = 3 * Math.floor(256 * x / bar.width);
      context.fillStyle = `rgb(${table[at]},${table[at + 1]},${table[at + 2]})`;
      context.fillRect(x, 0, 1, bar.height);
    }
    for (const set of data.datasets) for (const item of set.cases) if (item.picture) for (const d of item.drawings || []) d();
  }
  for (const set of data.datasets) for (const item of set.cases) {
    item.outline = item.mask && edge(item.mask, item.width, item.height);
    item.drawings = [];
  }
  control("dataset").addEventListener("change", () => { models(); show(); });
  control("model").addEventListener("change", show);
  for (const name of ["opacity", "top", "outline", "colors"]) control(name).addEventListener("input", change);
  models();
  redraw();
  show();
})();
