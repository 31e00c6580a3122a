// Before anything is painted: the theme and the language, as chosen in the settings, else as the browser says.
"use strict";

(() => {
  const LANGUAGES = ["en", "de", "ar"];
  const RIGHT_TO_LEFT = ["ar"];
  const root = document.documentElement;
  const here = document.currentScript.src;

  /** A setting that is not secret. Not in the extension's storage, which cannot be read before the first paint. */
  const setting = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };

  const showTheme = () => {
    const theme = setting("theme");
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  showTheme();
  addEventListener("storage", showTheme);

  const chosen = setting("language");
  const wanted = (chosen ? [chosen] : navigator.languages).map((tag) => tag.split("-")[0]);
  const language = wanted.find((tag) => LANGUAGES.includes(tag)) ?? "en";
  root.lang = language;
  if (RIGHT_TO_LEFT.includes(language)) root.dir = "rtl";

  const load = () => fetch(new URL(`_locales/${language}/messages.json`, here)).then((answer) => answer.json());
  // English stands in the pages, and in the WASM.
  const texts = language === "en" ? Promise.resolve() : load().catch(() => undefined);
  const translated = Promise.all([texts, new Promise((parsed) => {
    document.addEventListener("DOMContentLoaded", parsed);
  })]).then(([all]) => {
    for (const element of all ? document.querySelectorAll("[data-t]") : []) {
      element.textContent = all[element.dataset.t].message;
    }
    for (const element of all ? document.querySelectorAll("[data-t-label]") : []) {
      element.setAttribute("aria-label", all[element.dataset.tLabel].message);
    }
    return all;
  });

  globalThis.looks = { load, setting, showTheme, translated };
})();
