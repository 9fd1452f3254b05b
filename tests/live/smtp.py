"""A mail server with STARTTLS that wants a login: PORT CERTIFICATE KEY USERS. Prints what it is sent.

USERS holds "user:password" and is read at each login."""

import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

port, certificate, key, users = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]


class Mailbox:
    async def handle_DATA(self, server, session, envelope):
        print("MAIL", "tls" if session.ssl else "plain", session.auth_data, flush=True)
        print(envelope.content.decode("utf-8", "replace"), flush=True)
        print("END", flush=True)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    given = data.login.decode() + ":" + data.password.decode()
    with open(users) as file:
        known = given == file.read().strip()
    print("LOGIN", "good" if known else "bad", flush=True)
    return AuthResult(success=known, handled=False, auth_data=data.login.decode())


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
controller = Controller(
    Mailbox(),
    hostname="127.0.0.1",
    port=port,
    tls_context=context,
    require_starttls=True,
    authenticator=authenticate,
    auth_required=True,
)
controller.start()
print("READY", flush=True)
while True:
    time.sleep(60)
