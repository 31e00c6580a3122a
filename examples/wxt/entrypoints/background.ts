import { startBroker } from "password-auth-extension/background";

export default defineBackground({
  type: "module",
  main: () => startBroker({ server: "http://127.0.0.1:8000" }),
});
