"use strict";
/* Every page: the track switch, the theme, the drawer, the outline, links to headings, copying. */
(() => {
  const { preference, keeps } = window.roadmap;
  const page = document.documentElement;

  /* The track: in the URL, so that it can be shared, and remembered. */
  const radios = document.querySelectorAll('#tracks input[name="track"]');

  function showTrack() {
    for (const radio of radios) radio.checked = radio.value === page.dataset.track;
  }

  function setTrack(track) {
    page.dataset.track = track;
    preference.write("track", track);
    const url = new URL(location.href);
    url.searchParams.set("track", track);
    try {
      history.replaceState(history.state, "", url);
    } catch {
      /* Some browsers forbid it for files; the track is remembered all the same. */
    }
    showTrack();
    document.dispatchEvent(new Event("track"));
  }

  for (const radio of radios) radio.addEventListener("change", () => setTrack(radio.value));
  window.roadmap.setTrack = setTrack;
  if (new URLSearchParams(location.search).has("track"))
    preference.write("track", page.dataset.track);
  showTrack();

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || keeps() || page.dataset.track === "all") return;
    const url = new URL(link.href);
    if (
      url.protocol !== location.protocol ||
      url.host !== location.host ||
      !url.pathname.endsWith(".html")
    )
      return;
    url.searchParams.set("track", page.dataset.track);
    link.href = url;
  });

  /* A link may lead into a part that the track hides: show that part, and no more. */
  function reveal() {
    let target =
      location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const hidden = target.closest("[data-depth]:not(.revealed)");
    if (!hidden || getComputedStyle(hidden).display !== "none") return;
    hidden.classList.add("revealed");
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  reveal();

  /* The theme: what the system says, until the reader says otherwise. */
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (page.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const showTheme = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    page.dataset.theme = isDark() ? "light" : "dark";
    preference.write("theme", page.dataset.theme);
    showTheme();
  });
  dark.addEventListener("change", showTheme);
  showTheme();

  /* Sheets close behind a link within the page. */
  for (const sheet of document.querySelectorAll("[popover]")) {
    sheet.addEventListener("click", (event) => {
      if (event.target.closest("a") && sheet.matches(":popover-open")) sheet.hidePopover();
    });
  }
  document
    .querySelector('.contents a[aria-current="page"]')
    ?.scrollIntoView({ block: "center", behavior: "instant" });

  /* The outline follows the text. */
  const outline = new Map();
  for (const link of document.querySelectorAll(".toc a")) {
    const heading = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (heading) outline.set(heading, link);
  }
  function follow() {
    let current = null;
    for (const heading of outline.keys()) {
      if (heading.offsetParent !== null && heading.getBoundingClientRect().top < 140)
        current = heading;
    }
    for (const [heading, link] of outline) {
      if (heading === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
  let waiting = false;
  function followSoon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      follow();
    });
  }
  if (outline.size) {
    addEventListener("scroll", followSoon, { passive: true });
    document.addEventListener("track", followSoon);
    follow();
  }

  for (const heading of document.querySelectorAll(".prose :is(h2, h3, h4)[id]")) {
    const link = document.createElement("a");
    link.className = "heading-link";
    link.href = `#${heading.id}`;
    link.textContent = "#";
    link.ariaHidden =
      "true"; /* For the pointer alone: the outline has the same links for everyone. */
    link.tabIndex = -1;
    heading.append(link);
  }

  /* A root is as wide as the font's widest sign for it: take back what its own sign leaves empty. */
  const roots = [...document.querySelectorAll("msqrt")];
  function tighten() {
    for (const root of roots) {
      const end = root.lastElementChild?.getBoundingClientRect().right;
      const em = parseFloat(getComputedStyle(root).fontSize);
      const empty = (root.getBoundingClientRect().right - end) / em;
      if (empty > 0.1) root.style.marginInlineEnd = `${0.05 - empty}em`;
    }
  }
  if (roots.length) {
    document.fonts.ready.then(tighten);
    document.addEventListener("track", tighten); /* what was hidden had no width */
  }

  /* Copying code, where the browser allows it. */
  if (navigator.clipboard) {
    for (const code of document.querySelectorAll("pre.code")) {
      const box = document.createElement("div");
      box.className = "codebox";
      const copy = document.createElement("button");
      copy.type = "button";
      copy.className = "copy";
      copy.textContent = "Copy";
      copy.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(code.textContent);
          copy.textContent = "Copied";
        } catch {
          copy.textContent = "Not allowed";
        }
        setTimeout(() => (copy.textContent = "Copy"), 2000);
      });
      code.replaceWith(box);
      box.append(code, copy);
    }
  }
})();
