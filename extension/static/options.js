// The options page: asks the broker, as every other page does. It holds no token.
import { auth, AuthError } from "./password-auth/client.js";

const DEFAULT_SERVER = "http://127.0.0.1:8000";
const HEALTH_TIME_OUT_MS = 10_000;
const element = (id) => document.getElementById(id);

let server = DEFAULT_SERVER;
let user = null;
let email = null;

// English too: the WASM that has it built in is not loaded here.
const texts = await looks.load();

const t = (key, ...values) => texts[key].message.replace(/\$(\d)/g, (_, place) => values[place - 1]);

/** What the server refuses, in the user's language where there are words for its code. */
const reason = ({ code, message, retryAfter }) => {
  const why = texts[`error_${code}`]?.message ?? message;
  return retryAfter ? t("retryAfter", why, retryAfter) : why;
};

let fading;
const say = (success, message) => {
  const status = element("status");
  status.textContent = message;
  status.className = `${success ? "success" : "error"} show`;
  clearTimeout(fading);
  fading = setTimeout(() => status.classList.remove("show"), 5_000);
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
      say(false, reason(error));
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
  const refused = await answer.json().catch(() => ({ message: t("serverAnswered", answer.status) }));
  throw new AuthError({ ...refused, retryAfter: answer.headers.get("retry-after") ?? undefined });
};

const showSessions = async () => {
  const sessions = user ? await ask("GET", "/auth/sessions") : [];
  element("sessions").replaceChildren(...sessions.map((session) => {
    const item = document.createElement("li");
    const label = document.createElement("span");
    const times = document.createElement("small");
    label.textContent = session.device || t("unknownDevice");
    const used = new Date(session.last_used).toLocaleString(document.documentElement.lang);
    times.textContent = session.current ? t("thisDevice") : t("lastUsed", used);
    label.append(times);
    item.append(label);
    if (!session.current) {
      const button = document.createElement("button");
      button.type = "button";
      button.id = `end-${session.id}`;
      button.textContent = t("signOutThere");
      item.append(button);
      element("sessions").append(item);
      on(button.id, "click", async () => {
        await ask("DELETE", `/auth/sessions/${session.id}`);
        await showSessions();
        return t("signedOutThere");
      });
    }
    return item;
  }));
};

const showEmail = async () => {
  const me = user ? await ask("GET", "/auth/me") : {};
  email = me.email;
  element("emailNow").textContent = !email ? t("emailNone")
    : me.is_verified ? t("emailVerified", email) : t("emailUnverified", email);
  element("verifyEmail").hidden = !email || me.is_verified;
};

const show = async (state) => {
  user = state.signedIn ? state.user : null;
  element("account").hidden = !user;
  element("signedOut").hidden = Boolean(user);
  element("who").textContent = user?.username ?? "";
  element("passwordUser").value = user?.username ?? "";
  element("main").removeAttribute("data-unknown");
  await Promise.all([showSessions(), showEmail()]).catch((error) => say(false, reason(error)));
};

/** The address in the form that is kept, or a reason why it cannot be. */
const parse = (text) => {
  const address = URL.canParse(text) ? new URL(text) : null;
  const isLocal = address?.protocol === "http:" && ["127.0.0.1", "localhost"].includes(address.hostname);
  if (!address || !(isLocal || address.protocol === "https:") || address.username || address.search || address.hash) {
    throw new Error(t("serverAddressInvalid"));
  }
  return { origin: address.origin, pattern: `${address.protocol}//${address.hostname}/*`,
    url: address.origin + address.pathname.replace(/\/+$/, "") };
};

on("serverForm", "submit", async () => {
  const { url, pattern } = parse(element("serverUrl").value.trim());
  // At once: the browser asks the user only in answer to a click.
  if (!await chrome.permissions.request({ origins: [pattern] })) {
    throw new Error(t("serverNotPermitted"));
  }
  const answer = await fetch(`${url}/health`, {
    credentials: "omit", redirect: "error", cache: "no-store", signal: AbortSignal.timeout(HEALTH_TIME_OUT_MS),
  }).catch(() => { throw new Error(t("unreachable", url)); });
  const health = await answer.json().catch(() => null);
  if (typeof health?.status !== "string") throw new Error(t("serverStrange", url));
  if (!answer.ok) throw new Error(t("serverUnwell", url, answer.status));
  await chrome.storage.local.set({ server_url: url });
  server = url;
  element("serverUrl").value = url;
  return t("serverSaved", url);
});

// What this browser shows; nothing of it is secret.
const keep = (name, value) => (value ? localStorage.setItem(name, value) : localStorage.removeItem(name));

for (const name of ["theme", "language"]) {
  element(name).value = looks.setting(name) ?? "";
  element(name).addEventListener("change", ({ target }) => {
    keep(name, target.value);
    if (name === "theme") looks.showTheme();
    else location.reload();
  });
}
element("staySignedIn").checked = looks.setting("staySignedIn") !== "no";
element("staySignedIn").addEventListener("change", ({ target }) => keep("staySignedIn", target.checked ? "" : "no"));

on("verifyEmail", "click", async () => {
  await ask("POST", "/auth/email/verification/request");
  return t("emailVerifySent", email);
});

on("emailForm", "submit", async () => {
  const address = element("newEmail").value.trim();
  await ask("POST", "/auth/email/change", { password: element("emailPassword").value, new_email: address });
  element("emailForm").reset();
  return t("emailChangeSent", address);
});

on("signOutEverywhere", "click", async () => {
  await ask("POST", "/auth/logout/all");
  await auth.signOut();
  return t("signedOutEverywhere");
});

on("passwordForm", "submit", async () => {
  const { username } = user;
  const password = element("newPassword").value;
  await ask("POST", "/auth/password/change", { current_password: element("currentPassword").value, new_password: password });
  // The change has ended every older token, the broker's too.
  await auth.signIn({ username, password });
  element("passwordForm").reset();
  element("passwordUser").value = username;
  return t("passwordChanged");
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
  return t("exported");
});

on("deleteForm", "submit", async () => {
  await ask("DELETE", "/users/me", { password: element("deletePassword").value });
  element("deleteForm").reset();
  await auth.signOut();
  return t("accountDeleted");
});

chrome.storage.local.get("server_url").then(({ server_url }) => {
  server = server_url ?? DEFAULT_SERVER;
  element("serverUrl").value = server;
  auth.onChange(show);
});
