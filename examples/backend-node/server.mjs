import { createServer } from "node:http";

const AUTH = process.env.AUTH ?? "http://127.0.0.1:8000";

/** The user of a request, or null. */
async function userOf(request) {
  const { authorization } = request.headers;
  if (!authorization) return null;
  const answer = await fetch(`${AUTH}/api/v1/auth/me`, { headers: { authorization } });
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(`the sign-in server answers ${answer.status}`);
  return answer.json(); // { id, username, role, … }
}

const server = createServer(async (request, response) => {
  const say = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  try {
    const user = await userOf(request);
    if (!user) return say(401, { message: "Please sign in." });
    if (request.url === "/notes") return say(200, { notes: [`A note of ${user.username}`] });
    say(404, { message: "Not found." });
  } catch {
    say(503, { message: "Please try again in a moment." });
  }
});
server.listen(process.env.PORT ?? 3000, "127.0.0.1", () => console.log(`listening on ${server.address().port}`));
