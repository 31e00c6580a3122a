// One's second factors, on the options page and on the web page: an authenticator app, recovery codes, and passkeys.
// Whoever shows them says how the server is asked; no token comes here.
import { on, reason, say, t } from "./form.js";

/** An element: names with a dash are attributes, others are properties. */
const make = (tag, properties, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
};

const text = (words, className = "") => make("p", { textContent: words, className });

const button = (label, work, className = "") => {
  const made = make("button", { type: "button", textContent: label, className });
  on(made, "click", work);
  return made;
};

const row = (...children) => make("div", { className: "pair" }, ...children);

const field = (name, label, properties) => {
  const id = `factors-${name}`;
  return make("div", { className: "field" },
    make("label", { htmlFor: id, textContent: label }), make("input", { id, name, ...properties }));
};
const passwordField = () =>
  field("password", t("currentPassword"), { type: "password", autocomplete: "current-password" });
const codeField = (label, inputMode = "text") => field("code", label, {
  autocomplete: "one-time-code", inputMode, autocapitalize: "none", spellcheck: false, dir: "ltr",
});
const nameField = (value) => field("name", t("passkeyName"), { value, maxLength: 64, autocomplete: "off" });

/** The picture of a QR code. Of what the server sends only the outline is taken: no markup of it gets into the page. */
const picture = (svg) => {
  const vector = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const [, box] = svg.match(/ viewBox="([\d ]+)"/) ?? [];
  const [, d] = svg.match(/ d="([MHVhv\d ]+)"/) ?? [];
  if (!box || !d) return "";
  const drawn = vector("svg", { viewBox: box, role: "img", "aria-label": t("totpQr"), class: "qr" });
  drawn.append(vector("path", { d }));
  return drawn;
};

// That an app waits for its first code, which the server knows for ten minutes: pages close half-way. No secret.
const WAITING = "factorsWaiting";
const WAITS_MS = 600_000;
const waits = (user) => {
  const [who, until] = (localStorage.getItem(WAITING) ?? "").split(" ");
  return who === user && Date.now() < Number(until);
};
const wait = (user) => localStorage.setItem(WAITING, `${user} ${Date.now() + WAITS_MS}`);
const waitNoMore = () => localStorage.removeItem(WAITING);

const browserHasPasskeys = () => Boolean(globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON);

/** Lets the browser work on a passkey, and says in plain words why it did not. */
const byBrowser = async (party, work) => {
  try {
    return await work();
  } catch (error) {
    const why = {
      NotAllowedError: t("passkeyCancelled"), InvalidStateError: t("passkeyThere"), SecurityError: t("passkeyNotHere", party),
    };
    throw new Error(why[error.name] ?? error.message);
  }
};

let turn = 0;

/**
 * Fills `place` with the factors of the user who is signed in, or with nothing if nobody is.
 * `ask(method, path, body)` asks the server; `elsewhere(domain)` is where passkeys of that domain work, if not here.
 */
export const showFactors = async (place, { signedIn, ask, elsewhere }) => {
  const mine = ++turn;
  place.replaceChildren();
  if (!signedIn) return;
  let user;

  /** Shows `parts` in the place of everything else, and begins at the first field, or at the heading. */
  const show = (...parts) => {
    if (mine !== turn) return;
    const heading = make("h2", { id: "factorsTitle", textContent: t("factorsTitle"), tabIndex: -1 });
    const hadFocus = place.contains(document.activeElement);
    place.replaceChildren(make("section", { className: "card", "aria-labelledby": heading.id }, heading, ...parts));
    if (hadFocus) (place.querySelector("form input:not([hidden])") ?? heading).focus();
  };

  /** A form in the place of everything else. */
  const form = (submit, fields, work, ...more) => {
    const made = make("form", { method: "dialog", noValidate: true },
      make("input", { name: "username", autocomplete: "username", value: user.username, hidden: true }), ...fields,
      row(make("button", { type: "submit", className: "primary", textContent: submit }), ...more,
        button(t("cancel"), overview)));
    on(made, "submit", () => work(Object.fromEntries(new FormData(made))));
    return made;
  };

  const overview = async () => {
    const [factors, party] = await Promise.all([ask("GET", "/auth/factors"), passkeyParty()]);
    if (factors.totp) waitNoMore();
    const hasCodes = factors.totp || factors.recovery_codes_left > 0;
    show(text(t("factorsWhat"), "hint"), ...app(factors), ...hasCodes ? codes(factors) : [], ...passkeys(factors, party));
  };

  // The authenticator app.

  const app = ({ totp }) => {
    const title = make("h3", { textContent: t("totpTitle") });
    if (totp) return [title, text(t("totpOn")), button(t("totpRemove"), removeApp)];
    const begin = button(waits(user.id) ? t("totpAgain") : t("totpSetUp"), setUpApp);
    return waits(user.id)
      ? [title, text(t("totpWaiting")), row(button(t("totpGoOn"), () => show(confirmation()), "primary"), begin)]
      : [title, text(t("totpOff")), begin];
  };

  const setUpApp = () => show(text(t("totpFirst")), form(t("goOn"), [passwordField()], async ({ password }) => {
    const { secret, otpauth_url, qr_svg } = await ask("POST", "/auth/totp/setup", { password });
    wait(user.id);
    const key = make("code", { dir: "ltr", textContent: secret.replace(/.{4}(?=.)/g, "$& ") });
    const link = make("a", { textContent: t("totpOpen") });
    if (otpauth_url.startsWith("otpauth:")) link.href = otpauth_url;
    show(text(t("totpScan")), picture(qr_svg), make("p", {}, t("totpKey"), " ", key), make("p", {}, link), confirmation());
  }));

  const confirmation = () => form(t("totpTurnOn"), [codeField(t("totpCode"), "numeric")], async ({ code }) => {
    try {
      const { recovery_codes } = await ask("POST", "/auth/totp/confirm", { code });
      waitNoMore();
      showCodes(recovery_codes);
      return t("totpTurnedOn");
    } catch (error) {
      // An answer that was lost: the app is on, and its codes were not seen.
      const now = await ask("GET", "/auth/factors").catch(() => ({}));
      if (!now.totp) throw error;
      await overview();
      return t("totpOnAlready");
    }
  });

  const removeApp = () => show(text(t("totpRemoveWhat")),
    form(t("totpRemove"), [passwordField(), codeField(t("codeOrRecovery"))], async ({ password, code }) => {
      await ask("DELETE", "/auth/totp", { password, code });
      await overview();
      return t("totpRemoved");
    }));

  // Recovery codes.

  const codes = ({ recovery_codes_left: left }) => [
    make("h3", { textContent: t("codesTitle") }), text(t("codesLeft", left)), button(t("codesNew"), replaceCodes),
  ];

  const replaceCodes = () => show(text(t("codesNewWhat")),
    form(t("codesNew"), [passwordField(), codeField(t("codeOrRecovery"))], async ({ password, code }) => {
      const { recovery_codes } = await ask("POST", "/auth/recovery-codes", { password, code });
      showCodes(recovery_codes);
      return t("codesMade");
    }));

  const showCodes = (all) => {
    const lines = all.join("\n");
    const save = () => {
      const link = make("a", { href: URL.createObjectURL(new Blob([`${lines}\n`])), download: "recovery-codes.txt" });
      link.click();
      URL.revokeObjectURL(link.href);
    };
    show(make("h3", { textContent: t("codesTitle") }), text(t("codesKeep")),
      make("ul", { className: "codes", dir: "ltr" }, ...all.map((code) => make("li", { textContent: code }))),
      row(button(t("copy"), () => navigator.clipboard.writeText(lines).then(() => t("copied"))), button(t("download"), save)),
      button(t("codesKept"), overview, "primary"));
  };

  // Passkeys.

  /** The domain to which they are bound, if server and browser have passkeys. */
  const passkeyParty = async () => {
    if (!browserHasPasskeys()) return null;
    const options = await ask("POST", "/auth/passkeys/login/options").catch(() => null);
    return options?.rpId ?? null;
  };

  const passkeys = ({ passkeys: all }, party) => {
    if (!party && !all.length) return [];
    const other = party && elsewhere(party);
    const add = other ? text(t("passkeysElsewhere", other)) : button(t("passkeyAdd"), () => addPasskey(party));
    return [
      make("h3", { textContent: t("passkeysTitle") }), text(t("passkeysWhat")),
      ...all.length ? [make("ul", { className: "list" }, ...all.map((one) => passkey(one, other ? null : party)))] : [],
      ...party ? [add] : [],
    ];
  };

  const passkey = (one, party) => {
    const used = one.last_used && new Date(one.last_used).toLocaleString(document.documentElement.lang);
    return make("li", {},
      make("span", {}, make("bdi", { textContent: one.name }),
        make("small", { textContent: used ? t("lastUsed", used) : t("passkeyUnused") })),
      make("span", {}, button(t("rename"), () => renamePasskey(one), "quiet"), " ",
        button(t("remove"), () => removePasskey(one, party), "quiet")));
  };

  const addPasskey = (party) => show(text(t("passkeyFirst")),
    form(t("goOn"), [nameField(t("passkeyDefault")), passwordField()], async ({ name, password }) => {
      const options = await ask("POST", "/auth/passkeys/register/options", { password });
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      const credential = await byBrowser(party, () => navigator.credentials.create({ publicKey }));
      await ask("POST", "/auth/passkeys", { name, credential }).catch((error) => {
        // What a server refuses first of all is a page that it does not know.
        if (error.code !== "invalid_passkey") throw error;
        const { origin } = JSON.parse(new TextDecoder().decode(credential.response.clientDataJSON));
        // The device need not list what nobody knows.
        PublicKeyCredential.signalUnknownCredential?.({ rpId: party, credentialId: credential.id }).catch(() => {});
        throw new Error(t("passkeyOrigin", origin));
      });
      await overview();
      return t("passkeyAdded", name);
    }));

  const renamePasskey = (one) => show(form(t("rename"), [nameField(one.name)], async ({ name }) => {
    await ask("PATCH", `/auth/passkeys/${one.id}`, { name });
    await overview();
    return t("passkeyRenamed");
  }));

  const removePasskey = (one, party) => {
    const remove = async (proof) => {
      await ask("POST", "/auth/proof", proof);
      await ask("DELETE", `/auth/passkeys/${one.id}`);
      await overview();
      return t("passkeyRemoved");
    };
    const byPasskey = button(t("passkeyConfirm"), async () => {
      const options = await ask("POST", "/auth/passkeys/login/options");
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
      return remove({ passkey: await byBrowser(party, () => navigator.credentials.get({ publicKey })) });
    });
    show(text(t("passkeyRemoveWhat", one.name)),
      form(t("remove"), [passwordField()], ({ password }) => remove({ password }), ...party ? [byPasskey] : []));
  };

  try {
    user = await ask("GET", "/auth/me");
    await overview();
  } catch (error) {
    if (mine === turn) say(false, reason(error));
  }
};
