/** Who is signed in. `role` is null until the server has told it. */
export type AuthState =
  | { signedIn: false }
  | { signedIn: true; user: { id: string; username: string; role: "user" | "admin" | "guest" | null } };

/** A refusal. Every function of `auth` that returns a promise rejects with one, and with nothing else but `fetch`'s own. */
export declare class AuthError extends Error {
  readonly name: "AuthError";
  /** For people, in English. */
  readonly message: string;
  /** For programs: the broker's own codes, and the server's, of which those are named that a form has to know. */
  readonly code:
    /** No answer of the server, of another address, or of the background worker; or a server that fails. It signs nobody out. */
    | "unreachable"
    /** Nobody is signed in. */
    | "not_signed_in"
    /** This context may not ask for it, or `startBroker` does not name the address, or it answers a redirect. */
    | "not_allowed"
    /** The extension has no host permission for the address. */
    | "no_host_permission"
    /** The browser's storage failed, or `startBroker` was called with a wrong address. */
    | "internal_error"
    /** Name or password is wrong. */
    | "invalid_credentials"
    /** The password is right, and a code is needed too: call `signIn` once more, with `code`. */
    | "second_factor_required"
    /** The code is wrong, or was used before. */
    | "invalid_code"
    /** The right password of an account that is disabled. */
    | "account_disabled"
    /** Too many tries: see `retryAfter`. */
    | "too_many_attempts"
    /** The name is taken. */
    | "user_exists"
    /** Another account has verified the e-mail address. */
    | "email_exists"
    /** A field breaks a rule: the message says which. */
    | "validation_failed"
    /** The server registers nobody, or by invitation only. */
    | "registration_closed"
    | (string & {});
  /** Seconds until the next try, where the server says so. */
  readonly retryAfter?: number;
  /** With `second_factor_required`: for callers of the server's own API. `signIn` with `code` needs none. */
  readonly challenge?: string;
}

export declare const auth: {
  /** Who is signed in. In every context of the extension. Asks no server if it need not: it works offline. */
  state(): Promise<AuthState>;

  /**
   * Calls `listener` with the state, now and after each change by any context. In every context of the extension.
   * Returns a function that ends it.
   */
  onChange(listener: (state: AuthState) => void): () => void;

  /**
   * Creates an account; signs nobody in. Extension pages only.
   *
   * Rejects with `user_exists`, `email_exists`, `validation_failed`, `registration_closed`, `too_many_attempts`.
   */
  register(account: { username: string; password: string; email?: string }): Promise<{
    status: "ok";
    /** For people, in English. */
    message: string;
  }>;

  /**
   * Signs in, and answers the new state. Extension pages only.
   *
   * Rejects with `invalid_credentials`, `second_factor_required`, `invalid_code`, `account_disabled`, `too_many_attempts`.
   */
  signIn(credentials: {
    username: string;
    password: string;
    /** Default true; false: until the browser closes, a day at most. */
    staySignedIn?: boolean;
    /** A code of the authenticator app or a recovery code, after `second_factor_required`. */
    code?: string;
  }): Promise<AuthState>;

  /**
   * Signs out, here at once. Extension pages only. `serverTold: false`: the server could not be reached, and is told as
   * soon as it can be. Nobody being signed in is no error.
   */
  signOut(): Promise<{ serverTold: boolean }>;

  /**
   * A token that lasts for half a minute at least, refreshed if need be. Extension pages only. Keep it nowhere.
   *
   * Rejects with `not_signed_in`, or with the server's reason not to refresh (`refresh_token_expired`,
   * `refresh_token_reused`, …): the user has to sign in again.
   */
  accessToken(): Promise<string>;

  /**
   * As the global `fetch`, with the access token, which the caller does not see; one silent refresh and one retry on 401.
   * Extension pages: to the server and to `allow`. Content scripts: to `contentScripts`. Relative URLs are the page's.
   *
   * Resolves with whatever the address answers, a 401 that is left too: look at `ok`. At most 32 MiB, within 25 s.
   * Redirects are not followed. Rejects as `accessToken`, with `not_allowed`, `no_host_permission`, `unreachable`, and
   * with the reason of `init.signal` if that is aborted.
   */
  fetch(url: string | URL | Request, init?: RequestInit): Promise<Response>;
};
