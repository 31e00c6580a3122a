import { auth } from "./password-auth/client.js";

const { form, username, password, who, out } = Object.fromEntries([...document.querySelectorAll("[id]")].map((e) => [e.id, e]));
auth.onChange((state) => {
  who.textContent = state.signedIn ? `Signed in as ${state.user.username}` : "Signed out";
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  auth.signIn({ username: username.value, password: password.value }).catch((error) => { who.textContent = error.message; });
});
out.addEventListener("click", () => auth.signOut());
