// The form, beside the WASM: what its server offers, how strong a new password is, and the browser's passkeys. Nothing
// waits for an answer, and no token comes here. The WASM writes `data-server` while nobody is signed in.
"use strict";

(() => {
  const PAUSE_MS = 400;
  const TIME_OUT_MS = 15_000;
  const MIN_CHARS = 8;
  const element = (id) => document.getElementById(id);
  const form = element("credentials");
  const isExtension = !location.protocol.startsWith("http");
  // What the server said last is read before anything is painted. A page asks its own server, which is there.
  const storage = isExtension ? chrome.storage.local : undefined;
  const kept = storage?.get("auth_offers");
  let known;
  let asked;

  const ask = async (path, body) => {
    const answer = await fetch(`${form.dataset.server}/api/v1/auth/${path}`, {
      credentials: "omit", redirect: "error", cache: "no-store", signal: AbortSignal.timeout(TIME_OUT_MS),
      ...body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
    });
    return answer.ok ? answer.json() : {};
  };

  /** A page may ask for passkeys of its own host alone. */
  const canUse = (domain) => Boolean(domain && globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON)
    && (isExtension || `.${location.hostname}`.endsWith(`.${domain}`));

  const show = ({ registration, passkeys }) => {
    form.dataset.registration = registration;
    form.toggleAttribute("data-passkeys", passkeys);
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
  let last = 0;
  let pause;

  const tell = ({ score, enough, hint }) => {
    element("strength").dataset.score = score === undefined ? "" : !enough ? "low" : score < 3 ? "enough" : "high";
    // The server's hints are in English.
    element("strengthHint").textContent = document.documentElement.lang === "en" && hint || "";
  };

  // Only a new password is judged: never one that somebody signs in with.
  const judge = () => {
    clearTimeout(pause);
    const mine = ++last;
    const [password, username, email] = ["password", "username", "email"].map((id) => element(id).value);
    if (!password) registers = false;
    const isNew = registers || element("emailDisclosure").open || element("invite").value;
    if (!isNew || [...password].length < MIN_CHARS) return tell({});
    pause = setTimeout(async () => {
      const told = await ask("password/strength", { password, username, email }).catch(() => ({}));
      // The last answer wins.
      if (mine === last) tell(told);
    }, PAUSE_MS);
  };

  form.addEventListener("input", judge);
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
})();
