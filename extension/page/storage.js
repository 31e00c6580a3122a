// Where the web page keeps things: in a database of the server's own origin, and in the tab for those who do not stay
// signed in. Every tab hears of a change.
import { database } from "./extension.js";

const listeners = new Set();
const hear = () => listeners.forEach((listener) => listener({ auth_changed: {} }));
const channel = new BroadcastChannel("password-auth");
channel.onmessage = hear;
const announce = () => {
  channel.postMessage(null);
  hear();
};

const tab = {
  get: async (keys) => Object.fromEntries(keys.map((key) => [key, JSON.parse(sessionStorage.getItem(key)) ?? undefined])),
  set: async (items) => {
    for (const [key, value] of Object.entries(items)) sessionStorage.setItem(key, JSON.stringify(value));
    hear();
  },
  remove: async (keys) => {
    keys.forEach((key) => sessionStorage.removeItem(key));
    hear();
  },
};
const local = database(announce);

export const area = (kind) => (kind === "session" ? tab : local);

export const onChanged = () => ({
  addListener: (listener) => listeners.add(listener),
  removeListener: (listener) => listeners.delete(listener),
});

export const mayReach = async () => true;
