// The popup as one writes it in plain JavaScript: a form, fetch, chrome.storage. The figure `popup` measures ours beside it.
const SERVER = "http://127.0.0.1:8000";
const element = (id) => document.getElementById(id);
const typed = () => ({ username: element("username").value.trim(), password: element("password").value });

function show(message, kind) {
  element("status").textContent = message;
  element("status").className = `${kind} show`;
  setTimeout(() => element("status").classList.remove("show"), 5000);
}

async function ask(path, options) {
  const answer = await fetch(`${SERVER}${path}`, options);
  const body = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(body.message), { status: answer.status });
  return body;
}

const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

const tokens = async () => (await chrome.storage.local.get("auth_tokens")).auth_tokens;

const keep = ({ access_token, refresh_token, expires_in }) => chrome.storage.local.set({
  auth_tokens: { access_token, refresh_token, access_token_expiry: Date.now() + expires_in * 1000 },
});

async function register() {
  const { username, password } = typed();
  if (!username || !password) return show("Please enter a username and password.", "error");
  if (password.length < 8) return show("Password must be at least 8 characters long.", "error");
  try {
    await post("/register", { username, password });
    element("password").value = "";
    show("Registration successful.", "success");
  } catch (error) {
    show(`Registration failed: ${error.message}`, "error");
  }
}

async function login(event) {
  event.preventDefault();
  const { username, password } = typed();
  if (!username || !password) return show("Please enter your username and password.", "error");
  try {
    await keep(await post("/authenticate", { username, password }));
    element("password").value = "";
    element("logout").hidden = false;
    show("Authentication successful.", "success");
  } catch (error) {
    show(`Authentication failed: ${error.message}`, "error");
  }
}

async function accessProtected() {
  try {
    let current = await tokens();
    if (!current) return show("No tokens found. Please login.", "error");
    if (Date.now() >= current.access_token_expiry) {
      await keep(await post("/refresh", { refresh_token: current.refresh_token }));
      current = await tokens();
    }
    const { message } = await ask("/protected", { headers: { Authorization: `Bearer ${current.access_token}` } });
    show(message, "success");
  } catch (error) {
    show(`Failed to access protected resource: ${error.message}`, "error");
  }
}

async function logout() {
  const current = await tokens();
  await chrome.storage.local.remove("auth_tokens");
  element("logout").hidden = true;
  await post("/logout", { refresh_token: current?.refresh_token }).catch(() => {});
  show("Logged out successfully.", "success");
}

document.addEventListener("DOMContentLoaded", async () => {
  element("logout").hidden = !(await tokens());
  element("credentials").addEventListener("submit", login);
  element("register").addEventListener("click", register);
  element("accessProtected").addEventListener("click", accessProtected);
  element("logout").addEventListener("click", logout);
});
