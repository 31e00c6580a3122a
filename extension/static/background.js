// The background worker of this extension. The server's address is that of the settings.
import { startBroker } from "./password-auth/background.js";

startBroker();
