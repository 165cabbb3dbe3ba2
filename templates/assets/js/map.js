"use strict";
/* The map: what a chapter needs and leads to, filters, zoom. Its boxes are plain links. */
(() => {
  const map = document.querySelector("#map-frame .map");
  if (!map) return;
  const { setTrack, track } = window.roadmap;
  const { nodes, edges } = window.roadmapData;
  const says = document.getElementById("map-says");
  const hint = says.textContent;
  const boxes = [...map.querySelectorAll("a[data-node]")];
  const lines = [...map.querySelectorAll("[data-from][data-to]")];

  const needs = new Map();
  const leads = new Map();
  for (const id of Object.keys(nodes)) {
    needs.set(id, []);
    leads.set(id, []);
  }
  for (const [from, to, kind] of edges) {
    if (kind !== "requires") continue;
    needs.get(to).push(from);
    leads.get(from).push(to);
  }

  function reach(start, next) {
    const found = new Set();
    const waiting = [start];
    while (waiting.length) {
      for (const id of next.get(waiting.pop())) {
        if (found.has(id)) continue;
        found.add(id);
        waiting.push(id);
      }
    }
    return found;
  }

  /* Pointing and focus. */
  let pinned = null;
  function light(id) {
    const below = id ? reach(id, needs) : new Set();
    const above = id ? reach(id, leads) : new Set();
    map.classList.toggle("lit", Boolean(id));
    for (const box of boxes) {
      box.classList.toggle("lit-self", box.dataset.node === id);
      box.classList.toggle("lit-needs", below.has(box.dataset.node));
      box.classList.toggle("lit-leads", above.has(box.dataset.node));
    }
    for (const line of lines) {
      const { from, to, kind } = line.dataset;
      const needed = Boolean(id) && kind !== "recommends";
      line.classList.toggle("lit-needs", needed && below.has(from) && (below.has(to) || to === id));
      line.classList.toggle(
        "lit-leads",
        needed && above.has(to) && (above.has(from) || from === id),
      );
    }
    const chapters = (number) => (number === 1 ? "1 chapter" : `${number} chapters`);
    says.textContent = id
      ? `${nodes[id].title} needs ${below.size ? chapters(below.size) : "nothing"} (solid outline) and leads to ${above.size ? chapters(above.size) : "nothing further"} (dashed outline).`
      : hint;
  }
  for (const box of boxes) {
    const { node } = box.dataset;
    box.addEventListener("pointerenter", () => light(node));
    box.addEventListener("pointerleave", () => light(pinned));
    box.addEventListener("focus", () => {
      if (!box.matches(":focus-visible")) return;
      pinned = node;
      light(node);
    });
    box.addEventListener("blur", () => {
      pinned = null;
      light(null);
    });
  }
  map.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    pinned = null;
    light(null);
  });

  /* Filters: the track is the page's track; any number of stages, none meaning all. */
  const trackButtons = [...document.querySelectorAll("[data-track-filter]")];
  const stageButtons = [...document.querySelectorAll("[data-stage-filter]")];
  function filter() {
    const stages = new Set(
      stageButtons.filter((b) => b.ariaPressed === "true").map((b) => b.dataset.stageFilter),
    );
    const out = new Set();
    for (const [id, node] of Object.entries(nodes)) {
      const hidden =
        (track() !== "all" && !(track() in node.minutes)) ||
        (stages.size && !stages.has(node.stage));
      if (hidden) out.add(id);
    }
    for (const button of trackButtons)
      button.ariaPressed = String(button.dataset.trackFilter === track());
    for (const box of boxes) {
      box.inert = out.has(box.dataset.node);
      box.classList.toggle("out", box.inert);
    }
    for (const line of lines)
      line.classList.toggle("out", out.has(line.dataset.from) || out.has(line.dataset.to));
  }
  for (const button of trackButtons)
    button.addEventListener("click", () => setTrack(button.dataset.trackFilter));
  for (const button of stageButtons) {
    button.addEventListener("click", () => {
      button.ariaPressed = String(button.ariaPressed !== "true");
      filter();
    });
  }
  document.addEventListener("track", filter);
  filter();

  /* Zoom by buttons; the frame scrolls, so nothing needs dragging. */
  const frame = document.getElementById("map-frame");
  const LEAST = 0.3;
  const MOST = 2.5;
  let zoom = 1;
  function setZoom(next) {
    zoom = Math.min(MOST, Math.max(LEAST, next));
    map.style.zoom = String(zoom);
  }
  function fit() {
    map.style.zoom = "1";
    const style = getComputedStyle(frame);
    const room = frame.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    setZoom(Math.min(1, room / map.offsetWidth));
  }
  const steps = { in: () => setZoom(zoom * 1.25), out: () => setZoom(zoom / 1.25), fit };
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", steps[button.dataset.zoom]);
  }

  /* Begin with the whole map where it can still be read, else at its first box. */
  const READABLE = 0.68;
  fit();
  if (zoom < READABLE) setZoom(innerWidth < 768 ? 1 : READABLE);
  if (frame.scrollWidth > frame.clientWidth) {
    const start = boxes[0].getBoundingClientRect();
    const { left, width } = frame.getBoundingClientRect();
    frame.scrollLeft = start.left + start.width / 2 - left - width / 2;
  }
})();
