// The form, beside the WASM: what its server offers, when a password is a new one, and the browser's passkeys. Nothing
// waits for an answer, and no token comes here. The WASM writes `data-server` while nobody is signed in.
import { ask as askServer, watch } from "./strength.js";

const element = (id) => document.getElementById(id);
const form = element("credentials");
const isExtension = !location.protocol.startsWith("http");
// What the server said last is read before anything is painted. A page asks its own server, which is there.
const storage = isExtension ? chrome.storage.local : undefined;
const kept = storage?.get("auth_offers");
let known;
let asked;

const ask = (path, body) => askServer(form.dataset.server, path, body);

/** A page may ask for passkeys of its own host alone. */
const canUse = (domain) => Boolean(domain && globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON)
  && (isExtension || `.${location.hostname}`.endsWith(`.${domain}`));

const isInView = (shown) => {
  const { top, bottom } = shown.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight + 1;
};

const show = ({ registration, passkeys }) => {
  const message = element("status");
  const wasInView = message.textContent && isInView(message);
  form.dataset.registration = registration;
  form.toggleAttribute("data-passkeys", passkeys);
  // The form may be longer now, and push a message out of view.
  if (wasInView) message.scrollIntoView({ block: "nearest" });
};

const look = async () => {
  const { server } = form.dataset;
  if (server === asked) return;
  asked = server;
  known ??= (await kept)?.auth_offers;
  if (known?.server !== server) known = { server, registration: "open", passkeys: false };
  show(known);
  const { mode } = await ask("registration");
  if (!mode) return;
  const { rpId } = await ask("passkeys/login/options", {});
  if (server !== form.dataset.server) return;
  known = { server, registration: mode, passkeys: canUse(rpId) };
  show(known);
  await storage?.set({ auth_offers: known });
};

// A server that does not answer offers what it did.
new MutationObserver(() => look().catch(() => {})).observe(form, { attributeFilter: ["data-server"] });

let registers = false;
const value = (id) => element(id).value;

// Only a new password is judged: never one that somebody signs in with.
const judge = watch({
  field: element("password"), place: element("strength"), server: () => form.dataset.server,
  isNew: () => registers || element("emailDisclosure").open || value("invite"),
  about: () => ({ username: value("username"), email: value("email") }),
});

form.addEventListener("input", () => {
  if (!value("password")) registers = false;
  judge();
});
element("register").addEventListener("click", () => {
  registers = true;
  // If it is refused, the server offers something else by now.
  asked = undefined;
});
form.addEventListener("submit", () => {
  registers = false;
  judge();
});

globalThis.passkeys = {
  /** Lets the user choose a passkey. */
  ask: (options) =>
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),

  /** The browser's dialog takes the focus, and a popup that loses it is closed: a tab goes on. Whether one does. */
  goOnInTab: (stay) => {
    const isPopup = isExtension && chrome.extension.getViews({ type: "popup" }).includes(window);
    if (isPopup) chrome.tabs.create({ url: `popup.html#passkey${stay ? "" : "-short"}` }).then(close);
    return isPopup;
  },

  /** In such a tab, whether the user wants to stay signed in. Once: not again when it is reloaded. */
  wish: () => {
    const wish = isExtension && location.hash.match(/^#passkey(-short)?$/);
    if (!wish) return undefined;
    history.replaceState(null, "", location.pathname);
    return !wish[1];
  },
};
