"""The stand-in's endpoints: the contract's two, `/_users` to change a user, and `/_faults` to make it fail.

`PUT /_users/{subject} {"birth_month": "2015-04"}` changes what a user has stated, who is created if
need be; everybody is an adult at first.

`PUT /_faults {"status": 500, "garbage": true, "delay": 2, "method": "GET", "times": 1}` makes it answer with
that status, with something that is no JSON, or seconds late; only that method, and only so many times. All
are optional. `DELETE /_faults` ends it.
"""

import hashlib
import hmac
import threading
import time
from typing import Any

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from local.joinmake import contract

ADULT = "1990-01"
FAULTS = frozenset({"status", "garbage", "delay", "method", "times"})


def create_app(api_key: str) -> Flask:
    app = Flask(__name__)
    users: dict[str, dict[str, Any]] = {}
    faults: dict[str, Any] = {}
    lock = threading.Lock()

    @app.get("/_health")
    def health() -> ResponseReturnValue:
        return {"status": "ok", "users": len(users)}

    @app.put("/_faults")
    def put_faults() -> ResponseReturnValue:
        wanted = request.get_json()
        if not isinstance(wanted, dict) or not wanted.keys() <= FAULTS:
            return _error(400, "InvalidRequest", f"send an object of {', '.join(sorted(FAULTS))}")
        with lock:
            faults.clear()
            faults.update(wanted)
        return wanted

    @app.delete("/_faults")
    def delete_faults() -> ResponseReturnValue:
        with lock:
            faults.clear()
        return "", 204

    @app.before_request
    def fail_on_request() -> ResponseReturnValue | None:
        if request.path.startswith("/_"):
            return None
        fault = _take_fault()
        time.sleep(fault.get("delay", 0))
        if fault.get("garbage"):
            return Response("<html>garbage", fault.get("status", 200), content_type="application/json")
        if "status" in fault:
            return _error(fault["status"], "Fault", "failing on request")
        return None

    @app.before_request
    def check_api_key() -> ResponseReturnValue | None:
        given = request.headers.get("X-Api-Key", "")
        if request.path.startswith("/_") or hmac.compare_digest(given.encode(), api_key.encode()):
            return None
        return _error(401, "Unauthorized", "the X-Api-Key header holds no key of ours")

    @app.put("/_users/<subject>")
    def change_user(subject: str) -> ResponseReturnValue:
        changed = {**users.get(subject, _new_user(subject)), **request.get_json()}
        if problem := contract.problem("User", changed):
            return _error(400, "InvalidRequest", problem)
        users[subject] = changed
        return changed

    @app.get("/users/<subject>")
    def get_user(subject: str) -> ResponseReturnValue:
        return users.get(subject) or _error(404, "NotFound", "the subject has no user")

    @app.post("/users")
    def create_user() -> ResponseReturnValue:
        new_user: Any = request.get_json(silent=True)
        if problem := contract.problem("NewUser", new_user):
            return _error(400, "InvalidRequest", problem)
        subject: str = new_user["subject"]
        with lock:
            if subject in users:
                return _error(409, "Conflict", "the subject has a user already")
            users[subject] = _new_user(subject)
        return users[subject], 201

    def _take_fault() -> dict[str, Any]:
        with lock:
            if not faults or faults.get("method", request.method) != request.method:
                return {}
            fault = dict(faults)
            if "times" in faults:
                faults["times"] -= 1
                if faults["times"] <= 0:
                    faults.clear()
            return fault

    return app


def _new_user(subject: str) -> dict[str, Any]:
    return {
        # The same after a restart, when the players' table still knows it.
        "user_id": f"jm_{hashlib.sha256(subject.encode()).hexdigest()[:16]}",
        "subject": subject,
        "display_name": None,
        "birth_month": ADULT,
        "created_at": int(time.time()),
    }


def _error(status: int, code: str, message: str) -> tuple[dict[str, Any], int]:
    return {"error": {"code": code, "message": message}}, status
