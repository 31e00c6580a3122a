// Password Auth for extension pages and content scripts: asks the broker in the background worker, by messages.
// No token is kept here, and none reaches a content script.

const VERSION = 1;
/** How often a call is sent again whose worker the browser has stopped half-way. */
const TRIES = 5;
/** Longer than the broker ever takes: a lock (20 s), a refresh (15 s), a request (25 s). */
const TIME_OUT_MS = 70_000;

const runtime = globalThis.chrome?.runtime ?? globalThis.browser?.runtime;

/** A refusal. `code` is for programs: the server's are in its API's document. `message` is for people. */
export class AuthError extends Error {
  constructor({ code, message, retryAfter, challenge }) {
    super(message);
    this.name = "AuthError";
    this.code = code;
    if (retryAfter !== undefined) this.retryAfter = retryAfter;
    if (challenge !== undefined) this.challenge = challenge;
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const send = (message) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("time-out")), TIME_OUT_MS);
  });
  return Promise.race([runtime.sendMessage(message), late]).finally(() => clearTimeout(timer));
};

/** @param again whether the call may be done twice: then it survives a worker that is stopped half-way. */
const call = async (name, args, again = true) => {
  for (let tried = 1; ; tried++) {
    const answer = await send({ ...args, passwordAuth: VERSION, call: name }).catch(() => undefined);
    if (answer?.error) throw new AuthError(answer.error);
    if (answer) return answer.ok;
    if (!again || tried === TRIES) {
      throw new AuthError({ code: "unreachable", message: "The extension's background worker did not answer." });
    }
    await pause(50 * tried);
  }
};

const toBase64 = (bytes) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
};

const fromBase64 = (text) => Uint8Array.from(atob(text), (symbol) => symbol.charCodeAt(0));

const state = () => call("state");

const onChange = (listener) => {
  let last;
  let ended = false;
  let looking = false;
  let again = false;
  const look = async () => {
    again = true;
    if (looking) return;
    looking = true;
    while (again && !ended) {
      again = false;
      const now = await state().catch(() => undefined);
      const text = JSON.stringify(now);
      if (ended || now === undefined || text === last) continue;
      last = text;
      try {
        listener(now);
      } catch (error) {
        // Not ours: it is reported, and later changes are told all the same.
        setTimeout(() => { throw error; });
      }
    }
    looking = false;
  };
  // The message says only that something may have changed: what has, the broker is asked.
  const hear = (message, sender) => {
    if (sender.id === runtime.id && message?.passwordAuth === VERSION && message.event === "changed") look();
  };
  const see = () => { if (document.visibilityState === "visible") look(); };
  runtime.onMessage.addListener(hear);
  globalThis.document?.addEventListener("visibilitychange", see);
  look();
  return () => {
    ended = true;
    runtime.onMessage.removeListener(hear);
    globalThis.document?.removeEventListener("visibilitychange", see);
  };
};

const authFetch = async (url, init) => {
  const request = new Request(url, init);
  request.signal.throwIfAborted();
  const body = request.method === "GET" || request.method === "HEAD" ? undefined : await request.arrayBuffer();
  const aborted = new Promise((_, reject) => {
    request.signal.addEventListener("abort", () => reject(request.signal.reason), { once: true });
  });
  const asked = call("fetch", {
    url: request.url,
    method: request.method,
    headers: [...request.headers],
    body: body && toBase64(new Uint8Array(body)),
  }, !body);
  const { status, statusText, headers, body: answer } = await Promise.race([asked, aborted]);
  const hasBody = ![101, 204, 205, 304].includes(status);
  return new Response(hasBody ? fromBase64(answer) : null, { status, statusText, headers });
};

export const auth = {
  state,
  onChange,
  register: ({ username, password, email }) => call("register", { username, password, email }, false),
  signIn: ({ username, password, staySignedIn, code }) =>
    call("signIn", { username, password, staySignedIn, code }),
  signOut: () => call("signOut"),
  accessToken: () => call("accessToken"),
  fetch: authFetch,
};
