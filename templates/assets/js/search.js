"use strict";
/* Search over the whole book. The index is a script, so that it loads from a disk too; it comes with
 * the first search, not with the page.
 */
(() => {
  const { root } = document.currentScript.dataset;
  const { preference } = window.roadmap;
  const by = (id) => document.getElementById(id);
  const [dialog, input, list, count] = [
    "search",
    "search-input",
    "search-results",
    "search-count",
  ].map(by);
  const MOST = 20;
  const MOST_PER_PAGE = 3;
  let loading = null;

  function script(path) {
    return new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = root + path;
      element.onload = resolve;
      element.onerror = () => reject(new Error(path));
      document.head.append(element);
    });
  }

  async function build() {
    await Promise.all([script("assets/js/vendor/minisearch.js"), script("assets/search-index.js")]);
    const sections = window.roadmapSearch.flatMap(([id, title, planned, parts]) =>
      parts.map(([anchor, heading, text, code]) => ({
        page: id,
        title,
        planned,
        anchor,
        heading,
        text,
        code,
      })),
    );
    const index = new window.MiniSearch({
      fields: ["title", "heading", "text", "code"],
      searchOptions: {
        boost: { title: 4, heading: 3, code: 0.4 },
        prefix: true,
        fuzzy: (term) => (term.length > 4 ? 0.2 : false),
        weights: { prefix: 0.6, fuzzy: 0.3 },
      },
    });
    await index.addAllAsync(
      sections.map(({ title, heading, text, code }, id) => ({
        id,
        title: heading ? "" : title,
        heading,
        text,
        code,
      })),
      { chunkSize: 100 },
    );
    return { index, sections };
  }

  function excerpt(text, terms) {
    const lower = text.toLowerCase();
    const places = terms.map((term) => lower.indexOf(term)).filter((place) => place >= 0);
    const around = Math.max(0, (places.length ? Math.min(...places) : 0) - 60);
    const from = around && text.indexOf(" ", around) + 1;
    return (
      (from ? "… " : "") + text.slice(from, from + 190) + (from + 190 < text.length ? " …" : "")
    );
  }

  function marked(text, terms) {
    const parts = document.createDocumentFragment();
    const escaped = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    if (!escaped.length) return document.createTextNode(text);
    escaped.sort((a, b) => b.length - a.length);
    text.split(new RegExp(`(${escaped.join("|")})`, "iu")).forEach((part, place) => {
      if (place % 2)
        parts.append(Object.assign(document.createElement("mark"), { textContent: part }));
      else parts.append(part);
    });
    return parts;
  }

  function item({ section, terms }) {
    const link = document.createElement("a");
    link.href = `${root}node/${section.page}.html${section.anchor && `#${section.anchor}`}`;
    const where = Object.assign(document.createElement("span"), { className: "where" });
    where.append(marked(section.heading || section.title, terms));
    const trail = [section.heading && section.title, section.planned && "planned"]
      .filter(Boolean)
      .join(" · ");
    if (trail)
      where.append(" ", Object.assign(document.createElement("small"), { textContent: trail }));
    const body = terms.some((term) => section.text.toLowerCase().includes(term))
      ? section.text
      : section.code || section.text;
    const about = Object.assign(document.createElement("span"), { className: "excerpt" });
    about.append(marked(excerpt(body, terms), terms));
    link.append(where, about);
    const entry = document.createElement("li");
    entry.append(link);
    return entry;
  }

  function find(index, sections, query) {
    let found = index.search(query, { combineWith: "AND" });
    if (!found.length) found = index.search(query);
    const perPage = new Map();
    const shown = [];
    for (const { id, terms } of found) {
      const section = sections[id];
      const already = perPage.get(section.page) ?? 0;
      perPage.set(section.page, already + 1);
      if (already < MOST_PER_PAGE && shown.length < MOST) shown.push({ section, terms });
    }
    return shown;
  }

  async function search() {
    const query = input.value.trim();
    if (!query) {
      list.replaceChildren();
      count.textContent = "";
      return;
    }
    try {
      loading ??= build();
      const { index, sections } = await loading;
      if (input.value.trim() !== query) return;
      const shown = find(index, sections, query);
      list.replaceChildren(...shown.map(item));
      list.scrollTop = 0;
      count.textContent = shown.length === 1 ? "1 result" : `${shown.length || "No"} results`;
    } catch (error) {
      loading = null;
      count.textContent = `The search index cannot be loaded (${error.message}).`;
    }
  }

  function open() {
    if (dialog.open) return;
    loading ??= build();
    loading.catch(() => (loading = null));
    dialog.showModal();
    input.select();
  }

  by("search-open").addEventListener("click", open);
  input.addEventListener("input", search);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("li a")) dialog.close();
  });

  dialog.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const here = links.indexOf(document.activeElement);
    const inField = document.activeElement === input;
    if (event.key === "Escape") {
      event.preventDefault();
      dialog.close();
    } else if (event.key === "Enter" && inField) {
      event.preventDefault();
      links[0]?.click();
    } else if (event.key === "ArrowDown" && (inField || here >= 0)) {
      event.preventDefault();
      links[Math.min(here + 1, links.length - 1)]?.focus();
    } else if (event.key === "ArrowUp" && here >= 0) {
      event.preventDefault();
      (links[here - 1] ?? input).focus();
    }
  });

  /* One key opens it, outside of fields, and the reader can switch that off. */
  const byKey = by("search-key");
  byKey.checked = preference.read("search-key") !== "off";
  byKey.addEventListener("change", () =>
    preference.write("search-key", byKey.checked ? "on" : "off"),
  );
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || !byKey.checked)
      return;
    if (event.target.closest?.("input, select, textarea, [contenteditable]")) return;
    event.preventDefault();
    open();
  });
})();
