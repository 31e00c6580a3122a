"""A mail server for tests: aiosmtpd, which says on standard output what it took, and fails as it is told.

Arguments: a JSON object; its "wording" is how replies are said: "usual", "bare" (numbers alone), "garbled" (texts that
are no UTF-8), "lower" (what EHLO promises in lower case) or "seven" (without 8BITMIME). Standard input: a JSON object a
line, {"step": STEP, "answer": TEXT}, to answer so at that step from now on: "RCPT", "DATA", or a parameter of MAIL FROM, with a TEXT of "drop" to break the connection and "stall" to say nothing until told
otherwise; {} to be well again. At its end the server ends.
"""

import asyncio
import base64
import json
import logging
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

# It warns of what the test wants.
logging.disable()


def say(event):
    print(json.dumps(event), flush=True)


class Handler:
    def __init__(self):
        self.fault = {}
        self.changed = asyncio.Event()

    def become(self, fault):
        self.fault = fault
        self.changed.set()
        self.changed = asyncio.Event()
        say({"event": "changed"})

    async def answer(self, step, server):
        """What the fault answers at this step, if it is for it."""
        while self.fault.get("step") == step:
            answer = self.fault["answer"]
            if answer == "stall":
                changed = self.changed
                say({"event": "stalled"})
                await changed.wait()
                continue
            say({"event": "failed"})
            if answer == "drop":
                server.transport.abort()
                return "421 4.3.2 gone"
            return answer
        return None

    async def handle_MAIL(self, server, session, envelope, address, options):
        for option in options:
            answer = await self.answer(option, server)
            if answer is not None:
                return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = await self.answer("RCPT", server)
        if answer is None:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return answer or "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        answer = await self.answer("DATA", server)
        if answer is None:
            say({
                "event": "taken",
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "content": base64.b64encode(envelope.content).decode(),
                "encrypted": session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None,
                "authenticated": bool(session.authenticated),
            })
        return answer or "250 2.0.0 OK"


async def serve(settings):
    loop = asyncio.get_running_loop()
    handler = Handler()
    context = None
    if settings["encryption"] != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings["certificate"], settings["key"])
    starttls = settings["encryption"] == "starttls"
    credentials = settings["credentials"]

    def authenticate(server, session, envelope, mechanism, given):
        given = [given.login.decode(), given.password.decode()]
        return AuthResult(success=given == credentials, handled=False)

    wording = settings["wording"]

    class Server(SMTP):
        async def push(self, status):
            reply = status.encode() if isinstance(status, str) else status
            if wording == "seven" and reply == b"250-8BITMIME":
                return
            if reply[3:4] == b"-":
                if wording == "lower":
                    reply = reply.lower()
            elif wording == "bare":
                reply = reply[:3]
            elif wording == "garbled":
                reply = reply[:3] + b" caf\xe9 \xff\xfe"
            await super().push(reply)

    def connection():
        return Server(
            handler,
            enable_SMTPUTF8=True,
            # Whoever is asked for them one by one must know what for.
            auth_exclude_mechanism=["PLAIN"] if settings["login"] else [],
            hostname="localhost",
            tls_context=context if starttls else None,
            require_starttls=starttls,
            # It knows of no TLS but STARTTLS's.
            auth_require_tls=starttls,
            auth_required=credentials is not None,
            authenticator=authenticate,
            loop=loop,
        )

    at_once = context if settings["encryption"] == "tls" else None
    server = await loop.create_server(
        connection, "127.0.0.1", settings["port"], ssl=at_once, reuse_address=True
    )
    say({"event": "ready", "port": server.sockets[0].getsockname()[1]})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        handler.become(json.loads(line))


asyncio.new_event_loop().run_until_complete(serve(json.loads(sys.argv[1])))
# Without waiting for connections that are still open.
os._exit(0)
