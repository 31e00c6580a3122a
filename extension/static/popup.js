// Starts the WASM. Until it runs, this holds the last click, and repeats it then.
"use strict";

(() => {
  const events = ["click", "submit"];
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
    status.textContent = "The popup could not start. Please reload the extension, or build it again.";
    status.className = "error show";
  };

  const parsed = new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve));

  const start = async () => {
    const popup = await import("./wasm/popup_wasm.js");
    await popup.default();
    await parsed;
    popup.startPopup();
    for (const event of events) document.removeEventListener(event, hold, true);
    release()?.click();
  };

  for (const event of events) document.addEventListener(event, hold, true);
  start().catch(async (error) => {
    console.error(error);
    await parsed;
    broken = true;
    release();
    complain();
  });
})();
