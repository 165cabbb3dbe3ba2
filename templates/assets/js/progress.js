"use strict";
/* Marks on every link to a chapter, the buttons on a chapter's page, sums per stage. */
(() => {
  const { progress, track } = window.roadmap;
  const { nodes } = window.roadmapData;
  const WORDS = {
    doing: "in progress",
    done: "done",
    skipped: "skipped",
    changed: "changed since you finished",
  };

  const names = new Map();
  for (const link of document.querySelectorAll("a[data-node]"))
    names.set(link, link.getAttribute("aria-label"));

  /* The sign is CSS; the words go into the link's name, for those who hear it. */
  function mark(link, shown) {
    const name = names.get(link);
    const words = shown && `, ${WORDS[shown]}`;
    if (shown) link.dataset.state = shown;
    else delete link.dataset.state;
    if (name !== null) {
      link.setAttribute("aria-label", name + words);
      return;
    }
    link.querySelector(":scope > .said-state")?.remove();
    if (shown)
      link.append(
        Object.assign(document.createElement("span"), {
          className: "unseen said-state",
          textContent: words,
        }),
      );
  }

  function inTrack(node) {
    return track() === "all" || track() in node.minutes;
  }

  function paint() {
    const entries = progress.stored();
    for (const link of names.keys()) {
      const { state, changed } = progress.state(entries, link.dataset.node);
      mark(link, changed ? "changed" : state);
    }
    for (const group of document.querySelectorAll("[data-progress]")) {
      const { state, changed } = progress.state(entries, group.dataset.progress);
      for (const button of group.querySelectorAll("[aria-pressed]")) {
        button.setAttribute("aria-pressed", String(button.dataset.set === state));
      }
      group.querySelector(".changed").hidden = !changed;
    }
    for (const place of document.querySelectorAll("[data-tally], [data-tally-line]")) {
      const stage = place.dataset.tally ?? place.dataset.tallyLine;
      const ids = Object.keys(nodes).filter(
        (id) => nodes[id].stage === stage && inTrack(nodes[id]),
      );
      const done = ids.filter((id) => progress.state(entries, id).state === "done").length;
      if (place.dataset.tally) place.textContent = done ? `${done}/${ids.length}` : "";
      else place.textContent = `${done} of ${ids.length} done`;
    }
    const next = Object.keys(nodes).find((id) => {
      const { state } = progress.state(entries, id);
      return (
        nodes[id].status === "ready" &&
        inTrack(nodes[id]) &&
        state !== "done" &&
        state !== "skipped"
      );
    });
    const start = document.querySelector("[data-continue]");
    if (start && next) {
      start.href = `node/${next}.html`;
      start.textContent = `${Object.keys(entries).length ? "Continue" : "Start"} with ${nodes[next].title}`;
    }
  }

  for (const group of document.querySelectorAll("[data-progress]")) {
    group.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const pressed = button.getAttribute("aria-pressed") === "true";
      const next = button.dataset.set === "again" ? "done" : pressed ? "" : button.dataset.set;
      progress.set(group.dataset.progress, next);
    });
  }

  document.addEventListener("progress", paint);
  document.addEventListener("track", paint);
  paint();
})();
