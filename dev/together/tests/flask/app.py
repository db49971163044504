"""A Flask application with Flask-Session, for the tests in this folder.

    python app.py PORT

serves it at 127.0.0.1. Each request names the settings that it wants the
application to have, as JSON in the header `Settings`: those of Flask and
Flask-Session by their own names, and the address of the store as `URL`.
"""

import json
import sys
from threading import Event, Lock

import records
import values
from flask import Flask, flash, get_flashed_messages, jsonify, request, session
from flask_session import Session
from werkzeug.serving import run_simple


def make_app(settings):
    app = Flask(__name__)
    app.config.from_mapping(settings)
    store = records.connect(app, settings)
    Session(app)
    add_routes(app)
    add_record_routes(app, store)
    return app


def add_routes(app):
    """What applications do with a session."""
    gates = {"reached": Event(), "open": Event()}

    @app.get("/session")
    def show():
        return jsonify(
            sid=session.sid,
            # `session.new` is never true in Flask-Session.
            new=not request.cookies.get("session", "").startswith(session.sid),
            permanent=session.permanent,
            values=[[key, repr(value)] for key, value in session.items()],
        )

    @app.post("/sign-in")
    def sign_in():
        session["user"] = request.form["user"]
        return ""

    @app.post("/set")
    def set_value():
        session[request.form["key"]] = json.loads(request.form["value"])
        return ""

    @app.post("/set-slowly")
    def set_slowly():
        # The session was read before this; it is written after it.
        gates["reached"].set()
        gates["open"].wait(20)
        return set_value()

    @app.post("/wait-for-slow-one")
    def wait_for_slow_one():
        return "", 204 if gates["reached"].wait(20) else 500

    @app.post("/let-slow-one-go")
    def let_slow_one_go():
        gates["open"].set()
        return ""

    @app.post("/set-kinds")
    def set_kinds():
        session.update(values.KINDS_OF[app.config.get("SESSION_SERIALIZATION_FORMAT", "msgpack")])
        return ""

    @app.post("/set-large")
    def set_large():
        session.update(values.LARGE)
        return ""

    @app.post("/set-sample")
    def set_sample():
        session.update(values.RICH_SAMPLE)
        return ""

    @app.get("/check/<format>")
    def check(format):
        return values.difference(values.EXPECTED[format], dict(session)) or "equal"

    @app.post("/pop")
    def pop():
        session.pop(request.form["key"])
        return ""

    @app.post("/sign-out")
    def sign_out():
        session.clear()
        return ""

    @app.post("/permanent")
    def permanent():
        session.permanent = request.form["value"] == "yes"
        return ""

    @app.post("/regenerate")
    def regenerate():
        app.session_interface.regenerate(session)
        return session.sid

    @app.post("/flash")
    def add_flash():
        flash(request.form["message"], request.form["category"])
        return ""

    @app.get("/flashes")
    def flashes():
        return jsonify(get_flashed_messages(with_categories=True))


def add_record_routes(app, store):
    """The records as the store holds them, without a check of the caller."""

    def key():
        return app.session_interface.key_prefix + request.args["sid"]

    @app.get("/record")
    def read():
        found = store.read(key())
        return (found.hex(), 200) if found is not None else ("", 404)

    @app.post("/record")
    def write():
        store.write(key(), bytes.fromhex(request.form["bytes"]))
        return ""

    @app.post("/pickle")
    def write_pickle():
        store.write(key(), values.pickled(request.form["directory"]))
        return ""

    @app.get("/time-left")
    def time_left():
        left = store.time_left(key())
        return (str(left), 200) if left is not None else ("", 404)


class Applications:
    """One application for each settings that were named so far."""

    def __init__(self):
        self.lock = Lock()
        self.apps = {}

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/up":
            start_response("204 No Content", [])
            return []
        return self.of(environ["HTTP_SETTINGS"])(environ, start_response)

    def of(self, settings):
        with self.lock:
            if settings not in self.apps:
                # WSGI gives the bytes of headers as Latin-1.
                text = settings.encode("latin-1").decode()
                self.apps[settings] = make_app(json.loads(text))
            return self.apps[settings]


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), Applications(), threaded=True)
