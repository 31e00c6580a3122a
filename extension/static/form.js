// What the forms of the options page and of the web page share: texts, messages, and questions to the server. It holds
// no token.

export const element = (id) => document.getElementById(id);

// English too: the WASM that has it built in is not asked here.
const texts = await looks.load();

export const t = (key, ...values) => texts[key].message.replace(/\$(\d)/g, (_, place) => values[place - 1]);

/** What the server refuses, in the user's language where there are words for its code. In English it says more of a field. */
export const reason = ({ code, message, retryAfter, field = "", fieldCode }) => {
  const ofField = document.documentElement.lang !== "en" && `invalid_${field.replace("new_", "")}_${fieldCode}`;
  const why = (texts[`error_${code}`] ?? texts[ofField])?.message ?? message;
  return retryAfter ? t("retryAfter", why, retryAfter) : why;
};

let fading;
export const say = (success, message) => {
  const status = element("status");
  status.textContent = message;
  status.className = message ? `${success ? "success" : "error"} show` : "";
  if (message) status.scrollIntoView({ block: "nearest" });
  clearTimeout(fading);
  fading = setTimeout(() => status.classList.remove("show"), 5_000);
};

// The message stands behind the part of the page whose button was pressed last: near what it is about, and in the flow,
// so that it covers nothing. It moves while it is empty, so that it is announced once.
addEventListener("click", ({ target }) => {
  const news = element("news");
  const part = target.closest("button")?.closest("#account > *, #main > *");
  if (!part || part.nextElementSibling === news || part.contains(news)) return;
  say(true, "");
  part.after(news);
}, true);

/** The field of `form` that a refusal is about. */
const fieldOf = (form, { code, field }) =>
  code === "wrong_password" ? form.querySelector("[autocomplete='current-password']")
    : code === "invalid_code" ? form.querySelector("[autocomplete='one-time-code']")
      : field && form.elements?.namedItem(field);

/** Marks a field as wrong until it is typed into: the status tells why. */
const mark = (field) => {
  field.focus();
  if (field.hasAttribute("aria-invalid")) return;
  const described = field.getAttribute("aria-describedby");
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", described ? `${described} status` : "status");
  field.addEventListener("input", () => {
    field.removeAttribute("aria-invalid");
    if (described) field.setAttribute("aria-describedby", described);
    else field.removeAttribute("aria-describedby");
  }, { once: true });
};

/** Does what a button or a form asks for, once at a time, and says how it went. */
export const on = (target, event, work) => {
  let busy = false;
  target.addEventListener(event, async (happened) => {
    happened.preventDefault();
    if (busy) return;
    busy = true;
    const button = happened.submitter ?? happened.currentTarget;
    button.setAttribute("aria-busy", "true");
    try {
      say(true, await work() ?? "");
    } catch (error) {
      const field = fieldOf(target, error);
      if (field) mark(field);
      // Last, since the message has to be in view.
      say(false, reason(error));
    } finally {
      button.removeAttribute("aria-busy");
      busy = false;
    }
  });
};

/** Asks the server with the session, by a `fetch` that takes a path, and throws what it refuses. */
export const asking = (fetch) => async (method, path, body) => {
  const answer = await fetch(`/api/v1${path}`, {
    method,
    headers: body ? { "content-type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const { code, message, errors } = await answer.json().catch(() => ({ message: t("serverAnswered", answer.status) }));
  const retryAfter = answer.headers.get("retry-after") ?? undefined;
  const [{ field, code: fieldCode } = {}] = errors ?? [];
  throw Object.assign(new Error(message), { code, retryAfter, field, fieldCode });
};
