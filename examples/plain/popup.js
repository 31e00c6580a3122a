import { auth } from "./password-auth/client.js";

const [form, username, password, code, who, notes, out] = ["form", "username", "password", "code", "who", "notes", "out"]
  .map((id) => document.getElementById(id));

/** Does `work`. What fails is an AuthError: a code for programs, a message for people. */
const attempt = async (work) => {
  try {
    await work();
  } catch (error) {
    // The password is right, and the account has a second factor: sign in once more, with its code.
    if (error.code === "second_factor_required") code.hidden = false;
    who.textContent = error.message;
  }
};

auth.onChange((state) => {
  who.textContent = state.signedIn ? `Signed in as ${state.user.username}` : "Signed out";
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    await auth.signIn({ username: username.value, password: password.value, code: code.value || undefined });
    form.reset();
    code.hidden = true;
  });
});
// An access token that has expired is refreshed on the way. A 401 that is left comes from the backend, as any other status.
notes.addEventListener("click", () => attempt(async () => {
  const answer = await auth.fetch("http://127.0.0.1:3000/notes");
  const body = await answer.json();
  who.textContent = answer.ok ? body.notes.join(", ") : body.message;
}));
out.addEventListener("click", () => attempt(() => auth.signOut()));
