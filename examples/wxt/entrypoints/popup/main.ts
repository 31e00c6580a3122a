import { auth } from "password-auth-extension/client";

const form = document.querySelector("form")!;
const who = document.querySelector("#who")!;
auth.onChange((state) => {
  who.textContent = state.signedIn ? `Signed in as ${state.user.username}` : "Signed out";
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const [username, password] = ["username", "password"].map((name) => String(new FormData(form).get(name)));
  auth.signIn({ username, password }).catch((error) => { who.textContent = error.message; });
});
