import { startBroker } from "./password-auth/background.js";

startBroker({
  server: "http://127.0.0.1:8000",
  allow: ["http://127.0.0.1:3000"], // your backend: extension pages may send it the token
  contentScripts: ["http://127.0.0.1:3000/notes"], // and content scripts this path of it
});
