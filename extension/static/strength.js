// How strong a new password is, told while it is typed: by the server's own rule, and in the user's language. Popup, web
// page and options page share it.

const PAUSE_MS = 400;
const TIME_OUT_MS = 15_000;
const MIN_CHARS = 8;

/** Asks `server` for what needs no session; `{}` if it refuses. */
export const ask = async (server, path, body) => {
  const answer = await fetch(`${server}/api/v1/auth/${path}`, {
    credentials: "omit", redirect: "error", cache: "no-store", signal: AbortSignal.timeout(TIME_OUT_MS),
    ...body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
  });
  return answer.ok ? answer.json() : {};
};

const tell = (place, { score, enough, hint = "", hint_codes = [] }, texts) => {
  place.dataset.score = score === undefined ? "" : !enough ? "low" : score < 3 ? "enough" : "high";
  // English texts are the server's own. A newer server may know more hints.
  place.lastElementChild.textContent = !texts ? hint
    : hint_codes.map((code) => texts[`hint_${code}`]?.message).filter(Boolean).join(" ");
};

/**
 * Returns what is called when somebody types: it tells in `place` how strong the password in `field` is, if `isNew()`
 * says that it is a new one. Never ask about one that somebody signs in with. `server()` is asked, and `about()` is what
 * the password should not contain.
 */
export const watch = ({ field, place, isNew, server, about }) => {
  let last = 0;
  let pause;
  return () => {
    clearTimeout(pause);
    const mine = ++last;
    const password = field.value;
    if (!isNew() || [...password].length < MIN_CHARS) return tell(place, {});
    pause = setTimeout(async () => {
      const told = await ask(server(), "password/strength", { password, ...about() }).catch(() => ({}));
      const texts = await looks.translated;
      // The last answer wins.
      if (mine === last) tell(place, told, texts);
    }, PAUSE_MS);
  };
};
