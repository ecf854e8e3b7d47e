"""What Schemathesis cannot read in the OpenAPI document."""

import hashlib
import hmac
import json
import os
import time
from base64 import urlsafe_b64encode

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree


def cursor(row_id, backwards):
    value = {"i": row_id, "b": backwards}
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


# Only the server makes cursors.
schemathesis.openapi.format("cursor", st.builds(cursor, st.integers(0, 2**63 - 1), st.booleans()))


@schemathesis.auth().apply_to(path="/cognito/post-confirmation/")
class Trigger:
    """Signs an event as the user pool's trigger does."""

    def get(self, case, context):
        return os.environ["POST_CONFIRMATION_SECRET"]

    def set(self, case, data, context):
        timestamp = str(int(time.time()))
        body = requests.Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare().body or b""
        message = b"v1." + timestamp.encode() + b"." + (body.encode() if isinstance(body, str) else body)
        case.headers["X-Gatepost-Timestamp"] = timestamp
        case.headers["X-Gatepost-Signature"] = "v1=" + hmac.new(data.encode(), message, hashlib.sha256).hexdigest()


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a failure is one. What is not, is said here, each with its reason."""
    if isinstance(failure, AcceptedNegativeData):
        return not is_tolerated(case.body)
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        return not is_beyond_schemas(case, response.text)
    # OPTIONS tells what an address offers, whether or not there is an object now, as Django REST framework does.
    return not (isinstance(failure, UseAfterFree) and case.method == "OPTIONS")


def is_tolerated(body):
    """As Django REST framework does, the API takes a number for a text, and removes white space before it counts."""
    name = body.get("name") if isinstance(body, dict) else None
    is_number = isinstance(name, (int, float)) and not isinstance(name, bool)
    return is_number or (isinstance(name, str) and 1 <= len(name.strip()) <= 50)


def is_beyond_schemas(case, answer):
    """What a schema cannot say: one parameter depends on another, words are counted, names of parts are headers."""
    has_control_character = isinstance(case.body, dict) and any(
        ord(character) < 32 or ord(character) == 127 for name in case.body for character in name
    )
    return (
        "This cursor belongs to another ordering." in answer
        or "Ensure this has no more than 20 words." in answer
        or (case.media_type == "multipart/form-data" and has_control_character)
    )
