export interface BrokerOptions {
  /** The address of your Password Auth server: https, or http on this computer. */
  server?: string;
  /** Origins, with a path if need be, to which extension pages may send requests with a token. */
  allow?: string[];
  /** The same for content scripts. Default: none. */
  contentScripts?: string[];
}

/** Starts the broker. Call it at the top level of the background script, once. */
export declare function startBroker(options?: BrokerOptions): void;
