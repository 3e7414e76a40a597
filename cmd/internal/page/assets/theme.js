// The colours: those of the system, or the ones chosen here, remembered by
// this browser. Loaded before the page is drawn, so that nothing flashes.
"use strict";

(() => {
  const key = "ftpalg-theme";

  const chosen = () => {
    try {
      return localStorage.getItem(key) ?? "system";
    } catch {
      return "system"; // a browser that stores nothing
    }
  };

  const apply = (theme) => {
    document.documentElement.dataset.theme = theme;
  };

  const choose = (theme) => {
    apply(theme);
    try {
      localStorage.setItem(key, theme);
    } catch {
      // it lasts as long as the page
    }
  };

  apply(chosen());
  document.addEventListener("DOMContentLoaded", () => {
    for (const radio of document.querySelectorAll("#theme input")) {
      radio.checked = radio.value === chosen();
      radio.addEventListener("change", () => choose(radio.value));
    }
  });
})();
