"use strict";
/* What the browser keeps for the reader: preferences, and the state of every chapter.
 *
 * Progress is {format, version, nodes: {id: {state, digest, changed}}}, the same in storage, in an
 * exported file, and in what `roadmap progress import` writes. It is keyed by chapter; a renamed
 * chapter is found by its alias. Chapters that this book does not know are kept, never dropped.
 */
(() => {
  const FORMAT = "llm-roadmap-progress";
  const VERSION = 1;
  const STATES = ["doing", "done", "skipped"];
  const { key, nodes } = window.roadmapData;
  const memory = new Map();
  let kept = true;

  const aliases = new Map();
  for (const [id, node] of Object.entries(nodes))
    for (const old of node.aliases) aliases.set(old, id);

  function read(name) {
    try {
      return localStorage.getItem(`${key}:${name}`) ?? memory.get(name) ?? null;
    } catch {
      kept = false;
      return memory.get(name) ?? null;
    }
  }

  function write(name, value) {
    memory.set(name, value);
    try {
      localStorage.setItem(`${key}:${name}`, value);
    } catch {
      kept = false;
    }
  }

  const own = (object, name) => Object.prototype.hasOwnProperty.call(object, name);

  /* Newer dates win, and at the same date the second argument does. A tick from a PDF has no digest:
   * it says nothing about the text, so what is known of that stays. */
  function merge(mine, theirs) {
    const merged = { ...mine };
    for (const [given, entry] of Object.entries(theirs)) {
      const id = own(nodes, given) ? given : (aliases.get(given) ?? given);
      const known = own(merged, id) ? merged[id] : null;
      if (known && known.changed > entry.changed) continue;
      const digest = entry.digest || (known?.state === entry.state && known.digest) || "";
      merged[id] = { ...entry, digest };
    }
    return merged;
  }

  /* The chapters of a progress file. Throws an Error that says what is wrong with it. */
  function parse(text) {
    let file;
    try {
      file = JSON.parse(text);
    } catch {
      throw new Error("This is not a progress file: it is not JSON.");
    }
    const object = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
    if (!object(file) || file.format !== FORMAT) {
      throw new Error(`This is not a progress file: its "format" is not "${FORMAT}".`);
    }
    if (file.version !== VERSION) {
      throw new Error(
        `This progress file has version ${JSON.stringify(file.version)}; this page reads version ${VERSION}.`,
      );
    }
    if (!object(file.nodes)) throw new Error('This progress file has no "nodes".');
    const found = {};
    for (const [id, entry] of Object.entries(file.nodes)) {
      const where = `This progress file is damaged at "${id}"`;
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id))
        throw new Error(`${where}: that is no chapter's id.`);
      if (!object(entry) || !STATES.includes(entry.state)) {
        throw new Error(`${where}: its state must be one of ${STATES.join(", ")}.`);
      }
      const { state, digest = "", changed } = entry;
      if (typeof digest !== "string") throw new Error(`${where}: its digest must be text.`);
      if (!/^\d{4}-\d{2}-\d{2}$/.test(changed))
        throw new Error(`${where}: its date must be YYYY-MM-DD.`);
      found[id] = { state, digest, changed };
    }
    return found;
  }

  function stored() {
    const text = read("progress");
    if (text === null) return {};
    try {
      return merge({}, parse(text));
    } catch {
      return {};
    }
  }

  function serialise(entries) {
    const sorted = Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
    return JSON.stringify({ format: FORMAT, version: VERSION, nodes: sorted }, null, 2) + "\n";
  }

  function save(entries) {
    write("progress", serialise(entries));
    document.dispatchEvent(new Event("progress"));
  }

  function today() {
    const now = new Date();
    const two = (number) => String(number).padStart(2, "0");
    return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  }

  /* "", "doing", "done" or "skipped"; `changed` when the text is not the one that was finished. */
  function state(entries, id) {
    if (!own(entries, id)) return { state: "", changed: false };
    const entry = entries[id];
    const changed =
      entry.state === "done" &&
      entry.digest !== "" &&
      own(nodes, id) &&
      entry.digest !== nodes[id].digest;
    return { state: entry.state, changed };
  }

  function set(id, next) {
    const entries = stored();
    if (next === "") delete entries[id];
    else entries[id] = { state: next, digest: nodes[id].digest, changed: today() };
    save(entries);
  }

  addEventListener("storage", (event) => {
    if (event.key === null || event.key === `${key}:progress`)
      document.dispatchEvent(new Event("progress"));
  });

  read("progress");
  write("probe", "1");
  window.roadmap = {
    preference: { read, write },
    progress: { stored, save, merge, parse, serialise, state, set, today },
    keeps: () => kept,
    track: () => document.documentElement.dataset.track,
  };
})();
