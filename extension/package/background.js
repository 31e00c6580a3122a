// Password Auth's broker, for the background worker. The listeners are registered at once, while this is run: a
// worker that the browser starts for an event must know who listens. Only the handlers wait for the WASM.

import start, * as broker from "./broker.js";

const VERSION = 1;

/** Call this at the top level of the background script, once. */
export function startBroker({ server, allow = [], contentScripts = [] } = {}) {
  // A mistake in an address is said when the extension is loaded.
  for (const address of [server, ...allow, ...contentScripts]) {
    if (address !== undefined) new URL(address);
  }

  let started;
  const ready = () =>
    (started ??= start().then(
      () => broker.configure(server, allow, contentScripts),
    ).catch((error) => {
      started = undefined;
      throw error;
    }));
  const handle = (work) => ready().then(work).catch((error) => console.error("Password Auth:", error));

  chrome.runtime.onMessage.addListener((message, sender, respond) => {
    // Other messages are the extension's own; other extensions' come to onMessageExternal, where nobody listens.
    if (message?.passwordAuth !== VERSION || !message.call || sender.id !== chrome.runtime.id) return undefined;
    ready().then(() => broker.answer(message, sender)).then(respond, (error) =>
      respond({ error: { code: "internal_error", message: String(error?.message ?? error) } }));
    return true;
  });
  chrome.storage.onChanged.addListener((changes) => {
    const keys = Object.keys(changes).filter((key) => key.startsWith("auth_") || key === "server_url");
    if (keys.length) handle(() => broker.onStorageChange(keys));
  });
  chrome.alarms?.onAlarm.addListener(({ name }) => {
    if (name.startsWith("password-auth.")) handle(() => broker.onAlarm(name));
  });
  chrome.runtime.onInstalled.addListener(() => handle(() => broker.onStart()));
  chrome.runtime.onStartup.addListener(() => handle(() => broker.onStart()));
}
