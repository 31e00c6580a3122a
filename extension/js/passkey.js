// Passkeys: what the browser is asked, and where.

const isExtension = () => !location.protocol.startsWith("http");

/** Whether passkeys of `domain` can be used here: a page may ask for those of its own host alone. */
export const canUsePasskeys = (domain) => Boolean(globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON)
  && (isExtension() || `.${location.hostname}`.endsWith(`.${domain}`));

/** Lets the user choose a passkey. */
export const askForPasskey = (options) =>
  navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });

/** The browser's dialog takes the focus, and a popup that loses it is closed: a tab goes on. Whether one does. */
export const goOnInTab = (stay) => {
  const isPopup = globalThis.chrome?.extension?.getViews?.({ type: "popup" }).includes(window);
  if (!isPopup || !open(`popup.html#passkey${stay ? "" : "-short"}`)) return false;
  close();
  return true;
};

/** In such a tab, whether the user wants to stay signed in. */
export const wishOfPopup = () => {
  const wish = isExtension() && location.hash.match(/^#passkey(-short)?$/);
  if (!wish) return undefined;
  // Once: not again when the tab is reloaded.
  history.replaceState(null, "", location.pathname);
  return !wish[1];
};
