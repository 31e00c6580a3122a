// Starts the WASM of the popup, or of the web page. Until it runs, this holds the last click, and repeats it then.
"use strict";

(() => {
  const events = ["click", "submit"];
  const { src, dataset: { module } } = document.currentScript;
  let held = null;
  let broken = false;

  const hold = (event) => {
    const button = event.type === "submit" ? event.submitter : event.target.closest("button");
    if (!button) return;
    event.preventDefault();
    if (broken) return complain();
    release();
    held = button;
    held.setAttribute("aria-busy", "true");
  };

  const release = () => {
    held?.removeAttribute("aria-busy");
    const button = held;
    held = null;
    return button;
  };

  const complain = () => {
    document.getElementById("main").removeAttribute("data-unknown");
    const status = document.getElementById("status");
    status.textContent = document.getElementById("broken").textContent;
    status.className = "error show";
  };

  // Before anybody can change it.
  document.getElementById("staySignedIn").checked = looks.setting("staySignedIn") !== "no";

  const start = async () => {
    // All at once, and not before the page is parsed: a preload would delay the first paint. Both modules by name: the
    // stores' linters take none whose name is computed.
    const [surface, module_or_path] = await Promise.all([
      module === "page_wasm" ? import("./wasm/page_wasm.js") : import("./wasm/popup_wasm.js"),
      fetch(new URL(`wasm/${module}_bg.wasm`, src)), import("./signin.js"),
    ]);
    await surface.default({ module_or_path });
    const texts = await looks.translated;
    surface.begin(texts);
    for (const event of events) document.removeEventListener(event, hold, true);
    release()?.click();
  };

  for (const event of events) document.addEventListener(event, hold, true);
  start().catch(async (error) => {
    console.error(error);
    await looks.translated;
    broken = true;
    release();
    complain();
  });
})();
