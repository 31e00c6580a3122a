// Where tokens lie on disk. Content scripts can read `storage.local`, unless the browser can close it to them
// (`setAccessLevel`). Where it cannot, in Firefox, a database of the extension's own origin takes its place: content
// scripts run in the origin of the page around them.

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

// Other contexts hear of a change as they do in Chrome: by storage, which tells nothing of what has changed.
const write = (work) => within("readwrite", work).then(() => chrome.storage.local.set({ auth_changed: crypto.randomUUID() }));

const own = {
  get: (keys) => within("readonly", async (store) =>
    Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await settled(store.get(key))])))),
  set: (items) => write((store) => Object.entries(items).forEach(([key, value]) => store.put(value, key))),
  remove: (keys) => write((store) => keys.forEach((key) => store.delete(key))),
};

export const secretArea = () => (chrome.storage.local.setAccessLevel ? chrome.storage.local : own);
