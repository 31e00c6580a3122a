/** Who is signed in. `role` is null until the server has told it. */
export type AuthState =
  | { signedIn: false }
  | { signedIn: true; user: { id: string; username: string; role: "user" | "admin" | "guest" | null } };

/** A refusal: by the server (its own codes), or one of those that are named here. */
export declare class AuthError extends Error {
  readonly name: "AuthError";
  readonly code:
    | "unreachable"
    | "not_signed_in"
    | "not_allowed"
    | "no_host_permission"
    | (string & {});
  /** Seconds, when there were too many tries. */
  readonly retryAfter?: number;
  /** With `second_factor_required`: what the second step presents. */
  readonly challenge?: string;
}

export declare const auth: {
  /** Who is signed in. In every context of the extension. */
  state(): Promise<AuthState>;
  /** Calls `listener` with the state now and after each change. Returns a function that ends it. */
  onChange(listener: (state: AuthState) => void): () => void;
  /** Creates an account; signs nobody in. Extension pages only. */
  register(account: { username: string; password: string; email?: string }): Promise<void>;
  /** Signs in, and answers the new state. Extension pages only. */
  signIn(credentials: {
    username: string;
    password: string;
    /** Default true; false: until the browser closes, a day at most. */
    staySignedIn?: boolean;
    /** The code of a second factor, after `second_factor_required`. */
    code?: string;
  }): Promise<AuthState>;
  /** Signs out. `serverTold: false`: the server could not be reached, and will be told later. */
  signOut(): Promise<{ serverTold: boolean }>;
  /** A token that is worth using now. Extension pages only. */
  accessToken(): Promise<string>;
  /**
   * `fetch` with the access token, which the caller does not see; one silent refresh and one retry on 401.
   * Extension pages: to the server and to `allow`. Content scripts: to `contentScripts`.
   */
  fetch(url: string | URL | Request, init?: RequestInit): Promise<Response>;
};
