export interface BrokerOptions {
  /**
   * The address of your Password Auth server: https, or http on this computer. Default: the one that the user has saved
   * as `server_url` in `storage.local`, or else the one that the package was built for.
   */
  server?: string;
  /**
   * Where extension pages may send requests with the token, besides the server: origins, with a path if only what is
   * below it is meant. `https://api.example.org`, `https://example.org/api`.
   */
  allow?: string[];
  /** The same for content scripts, which may not reach the server either unless it is listed. Default: nowhere. */
  contentScripts?: string[];
}

/**
 * Starts the broker. Call it once, at the top level of the background script: a worker that the browser wakes for an event
 * must have its listeners at once.
 *
 * Wants the permissions `storage` and `alarms`, `host_permissions` for all addresses, and `'wasm-unsafe-eval'` in the
 * content security policy.
 *
 * @throws TypeError An address is no URL. One that is a URL and neither https nor http on this computer is reported in the
 * worker's console, and every call is refused (`internal_error`).
 */
export declare function startBroker(options?: BrokerOptions): void;
