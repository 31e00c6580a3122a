import { auth } from "password-auth-extension/client";

const app = document.querySelector<HTMLElement>("#app")!;
auth.onChange((state) => {
  app.textContent = state.signedIn ? `Signed in as ${state.user.username}` : "Signed out";
});
