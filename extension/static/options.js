// The options page: asks the broker, as every other page does. It holds no token.
import { describe } from "./device.js";
import { asking, element, on, reason, say, t } from "./form.js";
import { showFactors } from "./factors.js";
import { auth } from "./password-auth/client.js";
import { watch } from "./strength.js";

const DEFAULT_SERVER = "http://127.0.0.1:8000";
const HEALTH_TIME_OUT_MS = 10_000;

let server = DEFAULT_SERVER;
let user = null;
let email;

const ask = asking((path, init) => auth.fetch(server + path, init));

/** A device in words, in a line of its own: what it calls itself is a stranger's text. */
const nameOf = (device) => {
  const { browser, system, text } = describe(device);
  const name = document.createElement("bdi");
  name.textContent = browser && system ? t("deviceOn", browser, system) : browser || text || t("unknownDevice");
  name.title = device;
  return name;
};

const showSessions = async () => {
  const sessions = user ? await ask("GET", "/auth/sessions") : [];
  element("sessions").replaceChildren(...sessions.map((session) => {
    const item = document.createElement("li");
    const label = document.createElement("span");
    const times = document.createElement("small");
    const used = new Date(session.last_used).toLocaleString(document.documentElement.lang);
    times.textContent = session.current ? t("thisDevice") : t("lastUsed", used);
    label.append(nameOf(session.device), times);
    item.append(label);
    if (!session.current) {
      const button = document.createElement("button");
      button.type = "button";
      button.id = `end-${session.id}`;
      button.textContent = t("signOutThere");
      item.append(button);
      on(button, "click", async () => {
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
  const before = user?.id;
  user = state.signedIn ? state.user : null;
  element("account").hidden = !user;
  element("signedOut").hidden = Boolean(user);
  // Not hidden with what it stands in.
  if (!user && element("account").contains(element("news"))) element("account").after(element("news"));
  element("who").textContent = user?.username ?? "";
  element("passwordUser").value = user?.username ?? "";
  element("main").removeAttribute("data-unknown");
  // Anew for another user alone: somebody may be half-way through, or read their recovery codes.
  if (user?.id !== before) {
    showFactors(element("factors"), { signedIn: Boolean(user), ask, elsewhere: () => null });
  }
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

on(element("serverForm"), "submit", async () => {
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

on(element("verifyEmail"), "click", async () => {
  await ask("POST", "/auth/email/verification/request");
  return t("emailVerifySent", email);
});

on(element("emailForm"), "submit", async () => {
  const address = element("newEmail").value.trim();
  await ask("POST", "/auth/email/change", { password: element("emailPassword").value, new_email: address });
  element("emailForm").reset();
  return t("emailChangeSent", address);
});

on(element("signOutEverywhere"), "click", async () => {
  await ask("POST", "/auth/logout/all");
  await auth.signOut();
  return t("signedOutEverywhere");
});

const judge = watch({
  field: element("newPassword"), place: element("strength"), server: () => server, isNew: () => true,
  about: () => ({ username: user?.username, email }),
});
element("passwordForm").addEventListener("input", judge);

on(element("passwordForm"), "submit", async () => {
  const { username } = user;
  const password = element("newPassword").value;
  await ask("POST", "/auth/password/change", { current_password: element("currentPassword").value, new_password: password });
  element("passwordForm").reset();
  element("passwordUser").value = username;
  judge();
  // The change has ended every older token, the broker's too.
  try {
    await auth.signIn({ username, password });
    return t("passwordChanged");
  } catch (error) {
    if (error.code !== "second_factor_required") throw error;
    await auth.signOut();
    return t("passwordChangedSignIn");
  }
});

on(element("exportForm"), "submit", async () => {
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

on(element("deleteForm"), "submit", async () => {
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
