"use strict";
/* The progress page: sums per track, a state per chapter, export, import, reset. */
(() => {
  const { progress, keeps } = window.roadmap;
  const { key, nodes, tracks } = window.roadmapData;
  const by = (id) => document.getElementById(id);

  function hours(minutes) {
    const parts = [];
    if (minutes >= 60) parts.push(`${Math.floor(minutes / 60)} h`);
    if (minutes % 60 || minutes === 0) parts.push(`${minutes % 60} min`);
    return parts.join(" ");
  }

  function paint() {
    const entries = progress.stored();
    const state = (id) => progress.state(entries, id);
    for (const { id: name } of tracks) {
      const shown = Object.keys(nodes).filter(
        (id) => name in nodes[id].minutes && state(id).state !== "skipped",
      );
      const sum = (ids) => ids.reduce((total, id) => total + nodes[id].minutes[name], 0);
      const done = shown.filter((id) => state(id).state === "done");
      const bar = document.querySelector(`[data-sum="${name}"]`);
      bar.max = sum(shown) || 1;
      bar.value = sum(done);
      document.querySelector(`[data-sum-text="${name}"]`).textContent =
        `${done.length} of ${shown.length} chapters, ${hours(sum(shown) - sum(done))} to go`;
    }
    for (const row of document.querySelectorAll("[data-row]")) {
      const found = state(row.dataset.row);
      row.querySelector("select").value = found.state;
      row.querySelector("[data-changed]").hidden = !found.changed;
    }
    by("storage-note").hidden = keeps();
  }

  function say(text, bad = false) {
    by("progress-said").textContent = text;
    by("progress-said").classList.toggle("bad", bad);
  }

  for (const select of document.querySelectorAll("[data-state-of]")) {
    select.addEventListener("change", () => progress.set(select.dataset.stateOf, select.value));
  }

  by("progress-export").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(
      new Blob([progress.serialise(progress.stored())], { type: "application/json" }),
    );
    link.download = `${key}-progress-${progress.today()}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    say(`Exported to ${link.download}.`);
  });

  by("progress-import").addEventListener("click", () => by("progress-file").click());
  by("progress-file").addEventListener("change", async () => {
    const [file] = by("progress-file").files;
    if (!file) return;
    try {
      const found = progress.parse(await file.text());
      const known = Object.keys(progress.merge({}, found)).filter((id) => id in nodes).length;
      const others = Object.keys(found).length - known;
      progress.save(progress.merge(progress.stored(), found));
      say(
        `Imported ${known} chapters.` +
          (others > 0 ? ` ${others} that this book does not have are kept.` : ""),
      );
    } catch (error) {
      say(`${error.message} Nothing was changed.`, true);
    }
    by("progress-file").value = "";
  });

  const dialog = by("reset-dialog");
  by("progress-reset").addEventListener("click", () => {
    dialog.returnValue = "keep";
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "reset") return;
    progress.save({});
    say("All progress is forgotten.");
  });

  document.addEventListener("progress", paint);
  document.addEventListener("track", paint);
  paint();
})();
