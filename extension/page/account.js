// The signed-in part of the web page: one's second factors. The session is that of the WASM, which popup.js starts.
import { request } from "./wasm/page_wasm.js";

const [who, place] = ["who", "factors"].map((id) => document.getElementById(id));
let shown = "";

/** Passkeys are bound to a domain: the page may be open at another name of the server. */
const elsewhere = (domain) => {
  if (location.hostname === domain || location.hostname.endsWith(`.${domain}`)) return null;
  const there = new URL(location.origin);
  there.hostname = domain;
  return there.origin;
};

const look = async () => {
  const name = who.textContent;
  if (name === shown) return;
  shown = name;
  const [{ asking }, { showFactors }] = await Promise.all([import("./form.js"), import("./factors.js")]);
  await showFactors(place, { signedIn: Boolean(who.textContent), ask: asking(request), elsewhere });
};

new MutationObserver(look).observe(who, { childList: true });
look();
