// Where an extension keeps things, and how it hears of changes. A web page has page/storage.js in place of this.
//
// Content scripts can read `storage.local`, unless the browser can close it to them (`setAccessLevel`). Where it
// cannot, in Firefox, a database of the extension's own origin takes its place: content scripts run in the origin of
// the page around them.

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const within = async (mode, work) => {
  const opening = indexedDB.open("password-auth", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("secrets");
  const database = await settled(opening);
  try {
    const transaction = database.transaction("secrets", mode, { durability: "strict" });
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const result = await work(transaction.objectStore("secrets"));
    await done;
    return result;
  } finally {
    database.close();
  }
};

/** A database of this origin, as a storage area. `announce` tells other contexts of a change. */
export const database = (announce) => {
  const write = (work) => within("readwrite", work).then(announce);
  return {
    get: (keys) => within("readonly", async (store) =>
      Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await settled(store.get(key))])))),
    set: (items) => write((store) => Object.entries(items).forEach(([key, value]) => store.put(value, key))),
    remove: (keys) => write((store) => keys.forEach((key) => store.delete(key))),
  };
};

// Other contexts hear of a change as they do in Chrome: by storage, which tells nothing of what has changed.
const own = database(() => chrome.storage.local.set({ auth_changed: crypto.randomUUID() }));

export const area = (kind) => {
  if (kind === "session") return chrome.storage.session;
  return kind === "settings" || chrome.storage.local.setAccessLevel ? chrome.storage.local : own;
};

export const onChanged = () => chrome.storage.onChanged;

/** Whether the extension may send requests to addresses like `pattern`. */
export const mayReach = (pattern) => chrome.permissions.contains({ origins: [pattern] });
