// The options page: asks the broker, as every other page does. It holds no token.
import { auth, AuthError } from "./password-auth/client.js";

const DEFAULT_SERVER = "http://127.0.0.1:8000";
const HEALTH_TIME_OUT_MS = 10_000;
const element = (id) => document.getElementById(id);

let server = DEFAULT_SERVER;
let user = null;

const say = (success, message) => {
  element("status").textContent = message;
  element("status").className = `${success ? "success" : "error"} show`;
  element("status").scrollIntoView({ block: "nearest" });
};

/** Does what a button or a form asks for, once at a time, and says how it went. */
const on = (id, event, work) => {
  let busy = false;
  element(id).addEventListener(event, async (happened) => {
    happened.preventDefault();
    if (busy) return;
    busy = true;
    const button = happened.submitter ?? happened.currentTarget;
    button.setAttribute("aria-busy", "true");
    try {
      say(true, await work());
    } catch (error) {
      say(false, error.message);
    } finally {
      button.removeAttribute("aria-busy");
      busy = false;
    }
  });
};

/** Asks the server for `path` with the session, and throws what it refuses. */
const ask = async (method, path, body) => {
  const answer = await auth.fetch(`${server}/api/v1${path}`, {
    method,
    headers: body ? { "content-type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const refused = await answer.json().catch(() => ({ message: `The server answered with ${answer.status}.` }));
  throw new AuthError(refused);
};

const showSessions = async () => {
  const sessions = user ? await ask("GET", "/auth/sessions") : [];
  element("sessions").replaceChildren(...sessions.map((session) => {
    const item = document.createElement("li");
    const label = document.createElement("span");
    const times = document.createElement("small");
    label.textContent = session.device;
    times.textContent = session.current ? "This device" : `Last used ${new Date(session.last_used).toLocaleString()}`;
    label.append(times);
    item.append(label);
    if (!session.current) {
      const button = document.createElement("button");
      button.type = "button";
      button.id = `end-${session.id}`;
      button.textContent = "Sign out there";
      item.append(button);
      element("sessions").append(item);
      on(button.id, "click", async () => {
        await ask("DELETE", `/auth/sessions/${session.id}`);
        await showSessions();
        return "Signed out there.";
      });
    }
    return item;
  }));
};

const show = async (state) => {
  user = state.signedIn ? state.user : null;
  element("account").hidden = !user;
  element("signedOut").hidden = Boolean(user);
  element("who").textContent = user?.username ?? "";
  element("passwordUser").value = user?.username ?? "";
  await showSessions().catch((error) => say(false, error.message));
};

/** The address in the form that is kept, or a reason why it cannot be. */
const parse = (text) => {
  const address = URL.canParse(text) ? new URL(text) : null;
  const isLocal = address?.protocol === "http:" && ["127.0.0.1", "localhost"].includes(address.hostname);
  if (!address || !(isLocal || address.protocol === "https:") || address.username || address.search || address.hash) {
    throw new Error("The address must start with https://, or with http://127.0.0.1 or http://localhost.");
  }
  return { origin: address.origin, pattern: `${address.protocol}//${address.hostname}/*`,
    url: address.origin + address.pathname.replace(/\/+$/, "") };
};

on("serverForm", "submit", async () => {
  const { url, pattern } = parse(element("serverUrl").value.trim());
  // At once: the browser asks the user only in answer to a click.
  if (!await chrome.permissions.request({ origins: [pattern] })) {
    throw new Error("Without permission for this address the extension cannot reach the server.");
  }
  const answer = await fetch(`${url}/health`, {
    credentials: "omit", redirect: "error", cache: "no-store", signal: AbortSignal.timeout(HEALTH_TIME_OUT_MS),
  }).catch(() => { throw new Error(`Cannot reach the server at ${url}. Is it running?`); });
  const health = await answer.json().catch(() => null);
  if (typeof health?.status !== "string") throw new Error(`There is no Password Auth server at ${url}.`);
  if (!answer.ok) throw new Error(`The server at ${url} is not healthy (HTTP ${answer.status}).`);
  await chrome.storage.local.set({ server_url: url });
  server = url;
  element("serverUrl").value = url;
  return `Saved. The extension uses ${url}.`;
});

on("signOutEverywhere", "click", async () => {
  await ask("POST", "/auth/logout/all");
  await auth.signOut();
  return "Signed out on all devices.";
});

on("passwordForm", "submit", async () => {
  const { username } = user;
  const password = element("newPassword").value;
  await ask("POST", "/auth/password/change", { current_password: element("currentPassword").value, new_password: password });
  // The change has ended every older token, the broker's too.
  await auth.signIn({ username, password });
  element("passwordForm").reset();
  element("passwordUser").value = username;
  return "Password changed. Other devices are signed out.";
});

on("exportForm", "submit", async () => {
  // An access token alone is not enough for this.
  await ask("POST", "/auth/proof", { password: element("exportPassword").value });
  element("exportForm").reset();
  const data = await ask("GET", "/users/me/export");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
  link.download = "password-auth.json";
  link.click();
  URL.revokeObjectURL(link.href);
  return "Exported.";
});

on("deleteForm", "submit", async () => {
  await ask("DELETE", "/users/me", { password: element("deletePassword").value });
  element("deleteForm").reset();
  await auth.signOut();
  return "Your account and everything about it is deleted.";
});

chrome.storage.local.get("server_url").then(({ server_url }) => {
  server = server_url ?? DEFAULT_SERVER;
  element("serverUrl").value = server;
  auth.onChange(show);
});
