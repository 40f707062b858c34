/* Freshness of cards, quiet refreshes, and one keyboard shortcut. No dependencies but htmx. */
(function () {
  "use strict";

  const MISSED_MS = 150000; // two and a half refreshes without an answer
  const WORDS = {
    current: ["●", "CURRENT", "good"],
    delayed: ["▲", "DELAYED", "warn"],
    stale: ["■", "STALE", "warn"],
    offline: ["✕", "OFFLINE", "bad"],
    error: ["✕", "ERROR", "bad"],
  };
  const answered = new WeakMap(); // card -> time of the last good answer
  let paused = false;

  function age(from) {
    const minutes = Math.max(0, Math.round((Date.now() - from) / 60000));
    if (minutes < 1) return "just now";
    if (minutes < 60) return minutes + " min old";
    const hours = Math.round(minutes / 60);
    if (hours < 48) return hours + " h old";
    return Math.round(hours / 24).toLocaleString("en-US") + " days old";
  }

  function stateOf(card, badge) {
    if (card && card.dataset.state) return card.dataset.state;
    const now = Date.now();
    if (card && answered.has(card) && now - answered.get(card) > MISSED_MS && !document.hidden && !paused) {
      return "offline";
    }
    if (now >= Date.parse(badge.dataset.staleAfter)) return "stale";
    return now >= Date.parse(badge.dataset.due) ? "delayed" : "current";
  }

  function showBadge(badge) {
    const card = badge.closest("[data-card]");
    const state = stateOf(card, badge);
    const [shape, word, tone] = WORDS[state];
    const asOf = Date.parse(badge.dataset.asOf);
    let mark = badge.querySelector(".amc-badge");
    if (!mark) {
      mark = document.createElement("span");
      badge.prepend(mark);
    }
    const kept = state === "offline" || state === "error" ? "last good data, " : "";
    const title = kept + age(asOf) + "; as of " + new Date(asOf).toLocaleString() + " your time";
    if (mark.dataset.word !== word) {
      mark.className = "amc-badge " + tone;
      mark.innerHTML = "<i aria-hidden=\"true\">" + shape + "</i>" + word;
      if (mark.dataset.word) announce(card, word);
      mark.dataset.word = word;
    }
    mark.title = title;
    let note = badge.querySelector(".age");
    if (!note) {
      note = document.createElement("span");
      note.className = "age";
      badge.append(note);
    }
    note.textContent = "· " + kept + age(asOf);
  }

  function announce(card, word) {
    const region = document.getElementById("amc-status");
    if (!region || !card) return;
    region.textContent = (card.getAttribute("aria-label") || "A card") + ": " + word;
  }

  function showAll() {
    document.querySelectorAll("[data-as-of]").forEach(showBadge);
  }

  function cardOf(event) {
    const element = event.detail.elt;
    return element && element.closest ? element.closest("[data-card]") : null;
  }

  function mark(card, state) {
    if (!card) return;
    if (state) card.dataset.state = state;
    else delete card.dataset.state;
    card.querySelectorAll("[data-as-of]").forEach(showBadge);
  }


  function focusPath(card) {
    const here = document.activeElement;
    if (!here || !card.contains(here) || here === card) return null;
    return Array.from(card.querySelectorAll("a, button, input, select, summary")).indexOf(here);
  }

  document.addEventListener("htmx:beforeRequest", function (event) {
    const detail = event.detail;
    if (!detail.elt.hasAttribute("data-card")) return;
    const asked = detail.requestConfig && detail.requestConfig.triggeringEvent;
    if ((document.hidden || paused) && !(asked && asked.type === "refresh")) event.preventDefault();
  });

  document.addEventListener("htmx:beforeSwap", function (event) {
    const card = event.detail.target;
    if (!card || !card.hasAttribute || !card.hasAttribute("data-card")) return;
    const at = focusPath(card);
    const open = Array.from(card.querySelectorAll("details")).map((each) => each.open);
    document.addEventListener("htmx:afterSettle", function () {
      const fresh = document.getElementById(card.id);
      if (!fresh) return;
      fresh.querySelectorAll("details").forEach((each, i) => { each.open = open[i] || each.open; });
      if (at !== null && at >= 0) {
        const found = fresh.querySelectorAll("a, button, input, select, summary")[at];
        if (found) found.focus({ preventScroll: true });
      }
    }, { once: true });
  });

  document.addEventListener("htmx:afterSettle", function (event) {
    const card = cardOf(event);
    if (card) {
      answered.set(card, Date.now());
      mark(card, null);
    }
    showAll();
  });
  document.addEventListener("htmx:sendError", (event) => mark(cardOf(event), "offline"));
  document.addEventListener("htmx:timeout", (event) => mark(cardOf(event), "offline"));
  document.addEventListener("htmx:responseError", (event) => mark(cardOf(event), "error"));
  document.addEventListener("job-ended", function () {
    document.querySelectorAll("[data-card]").forEach((card) => window.htmx.trigger(card, "refresh"));
  });

  document.addEventListener("visibilitychange", function () {
    if (document.hidden || paused) return;
    document.querySelectorAll("[data-card]").forEach(function (card) {
      if (answered.has(card) && Date.now() - answered.get(card) > 60000) window.htmx.trigger(card, "refresh");
    });
    showAll();
  });

  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-pause], [data-refresh]");
    if (!button) return;
    if (button.hasAttribute("data-refresh")) {
      document.querySelectorAll("[data-card]").forEach((card) => window.htmx.trigger(card, "refresh"));
      return;
    }
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    button.textContent = paused ? "Resume refresh" : "Pause refresh";
  });

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    if (event.key === "/") {
      const box = document.getElementById("find-symbol");
      if (box) {
        event.preventDefault();
        box.focus();
      }
    }
  });

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-card]").forEach((card) => answered.set(card, Date.now()));
    showAll();
    window.setInterval(showAll, 5000);
  });
})();
