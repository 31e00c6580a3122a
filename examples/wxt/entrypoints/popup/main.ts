import { auth, AuthError } from "password-auth-extension/client";

const form = document.querySelector("form")!;
const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
const who = document.querySelector("#who")!;

async function attempt(work: () => Promise<unknown>) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    // The password is right, and the account has a second factor: sign in once more, with its code.
    if (error.code === "second_factor_required") field("code").hidden = false;
    who.textContent = error.message;
  }
}

auth.onChange((state) => {
  who.textContent = state.signedIn ? `Signed in as ${state.user.username}` : "Signed out";
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    await auth.signIn({
      username: field("username").value,
      password: field("password").value,
      code: field("code").value || undefined,
    });
    form.reset();
    field("code").hidden = true;
  });
});
// The server itself may always be asked; a backend of your own stands in `allow` of `startBroker`.
document.querySelector("#role")!.addEventListener("click", () => attempt(async () => {
  const answer = await auth.fetch("http://127.0.0.1:8000/api/v1/auth/me");
  const body = await answer.json();
  who.textContent = answer.ok ? `You are: ${body.role}` : body.message;
}));
document.querySelector("#out")!.addEventListener("click", () => attempt(() => auth.signOut()));
