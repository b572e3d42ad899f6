"""Uses the generated client of the API as a program in Python would, against a platform that runs.

Each check is a function; the first that fails ends the run. SLUICE_URL, SLUICE_TOKEN (a token of a fresh tenant with
every scope) and SLUICE_READER (one that may only read) come from the environment.
"""

from __future__ import annotations

import datetime
import os
import time
import uuid

from sluice_client import AuthenticatedClient, Client
from sluice_client.api.platform import health, openapi
from sluice_client.api.tasks import cancel, get, list_, retry, submit, submit_batch, wait
from sluice_client.api.tokens import create_token, list_tokens, revoke_token
from sluice_client.models import (
    Accepted,
    BatchAccepted,
    BatchRefused,
    BatchRequest,
    BatchResponse,
    Cancelled,
    ErrorCode,
    ForbiddenProblem,
    GatewayMessage,
    GetIncludeItem,
    Health,
    IdConflictProblem,
    IssuedToken,
    Labels,
    ListResponse,
    NotFoundProblem,
    Priority,
    RetryOverride,
    Scope,
    StateConflictProblem,
    Submission,
    Task,
    TaskState,
    TaskViewState,
    TokenList,
    TokenRequest,
    UnknownTypeProblem,
    WaitResponse,
)
from sluice_client.types import UNSET

URL = os.environ["SLUICE_URL"]
QUICK = "unruly-wait"
"""A task type whose handler does as its payload says."""

# A status that the document does not tell of is an error.
client = AuthenticatedClient(base_url=URL, token=os.environ["SLUICE_TOKEN"], raise_on_unexpected_status=True, timeout=40)
reader = AuthenticatedClient(base_url=URL, token=os.environ["SLUICE_READER"], raise_on_unexpected_status=True)
nobody = Client(base_url=URL, raise_on_unexpected_status=True)


def fresh(name: str) -> str:
    """An id that no earlier run has used."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def submitted(task_id: str, **options: object) -> Accepted:
    body = Submission(type_=QUICK, id=task_id, payload={"do": "ok", "key": task_id}, **options)
    accepted = submit.sync(client=client, body=body)
    assert isinstance(accepted, Accepted), accepted
    return accepted


def ended(task_id: str) -> Task:
    """The task once it has ended."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        answer = wait.sync_detailed(task_id, client=client, wait=20)
        assert isinstance(answer.parsed, WaitResponse), answer
        assert answer.parsed.done == (answer.status_code == 200)
        if answer.parsed.done:
            return answer.parsed.task
        time.sleep(int(answer.headers["retry-after"]))
    raise AssertionError(f"{task_id} has not ended")


def check_health() -> None:
    answer = health.sync(client=nobody)
    assert isinstance(answer, Health) and answer.status == "ok" and answer.version, answer


def check_document() -> None:
    answer = openapi.sync(client=nobody)
    assert answer is not None and answer["openapi"].startswith("3.1."), answer


def check_submit_and_dedupe() -> None:
    task_id = fresh("order")
    labels = Labels.from_dict({"order": "17"})
    options = {"priority": Priority.HIGH, "labels": labels, "retry": RetryOverride(max_attempts=2)}
    first = submit.sync_detailed(
        client=client, body=Submission(type_=QUICK, id=task_id, payload={"do": "ok", "key": task_id}, **options)
    )
    assert first.status_code == 201 and isinstance(first.parsed, Accepted), first
    assert first.parsed.id == task_id and first.parsed.state == TaskState.WAITING and not first.parsed.deduplicated
    again = submitted(task_id)
    assert again.deduplicated and again.uid == first.parsed.uid, again


def check_id_conflict() -> None:
    task_id = fresh("conflict")
    submitted(task_id)
    answer = submit.sync_detailed(client=client, body=Submission(type_=QUICK, id=task_id, payload={"do": "other"}))
    assert answer.status_code == 409 and isinstance(answer.parsed, IdConflictProblem), answer
    assert answer.parsed.code == "id_conflict" and answer.parsed.status == 409, answer.parsed


def check_unknown_type() -> None:
    answer = submit.sync(client=client, body=Submission(type_="no-such-type"))
    assert isinstance(answer, UnknownTypeProblem) and QUICK in answer.details["known"], answer


def check_get() -> None:
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=5)
    accepted = submitted(fresh("get"))
    ended(accepted.id)
    plain = get.sync(accepted.id, client=client)
    assert isinstance(plain, Task) and plain.payload is UNSET and plain.result is UNSET, plain
    task = get.sync(accepted.id, client=client, include=[GetIncludeItem.PAYLOAD, GetIncludeItem.RESULT])
    assert isinstance(task, Task) and task.state == TaskViewState.SUCCEEDED and task.attempts == 1, task
    assert task.payload == {"do": "ok", "key": accepted.id} and task.result["key"] == accepted.id, task
    assert task.timeline.accepted_at > before and task.timeline.attempts[0].outcome == "succeeded", task.timeline


def check_not_found() -> None:
    answer = get.sync(fresh("never"), client=client)
    assert isinstance(answer, NotFoundProblem), answer


def check_wait() -> None:
    accepted = submitted(fresh("wait"))
    task = ended(accepted.id)
    assert task.uid == accepted.uid and task.result["key"] == accepted.id, task
    later = submitted(fresh("later"), delay_seconds=600)
    answer = wait.sync_detailed(later.id, client=client, wait=1)
    assert answer.status_code == 202 and isinstance(answer.parsed, WaitResponse) and not answer.parsed.done, answer


def check_batch() -> None:
    task_id = fresh("batch")
    tasks = [Submission(type_=QUICK, id=task_id, delay_seconds=600), Submission(type_="no-such-type")]
    answer = submit_batch.sync(client=client, body=BatchRequest(tasks=tasks))
    assert isinstance(answer, BatchResponse), answer
    good, bad = answer.results
    assert isinstance(good, BatchAccepted) and good.task.id == task_id, good
    assert isinstance(bad, BatchRefused) and bad.error.code == ErrorCode.UNKNOWN_TYPE, bad


def check_list() -> None:
    label = fresh("listed")
    ids = {submitted(fresh("list"), delay_seconds=600, labels=Labels.from_dict({"run": label})).id for _ in range(3)}
    found: set[str] = set()
    deadline = time.monotonic() + 30
    # A task may come into the list a moment after it was accepted.
    while found != ids and time.monotonic() < deadline:
        found, cursor = set(), UNSET
        while True:
            page = list_.sync(client=client, label=[f"run:{label}"], state=TaskViewState.WAITING, limit=2, cursor=cursor)
            assert isinstance(page, ListResponse), page
            found |= {task.id for task in page.tasks}
            cursor = page.cursor
            if cursor is UNSET:
                break
        time.sleep(0.2)
    assert found == ids, (found, ids)


def check_cancel_and_retry() -> None:
    accepted = submitted(fresh("cancel"), delay_seconds=600)
    cancelled = cancel.sync(accepted.id, client=client)
    assert isinstance(cancelled, Cancelled) and cancelled.uid == accepted.uid and cancelled.state == "cancelled", cancelled
    again = retry.sync(accepted.id, client=client, uid=accepted.uid)
    assert isinstance(again, Accepted) and again.uid != accepted.uid, again
    task = ended(accepted.id)
    assert task.state == TaskViewState.SUCCEEDED and task.retry_of == accepted.uid, task
    refused = cancel.sync_detailed(accepted.id, client=client)
    assert refused.status_code == 409 and isinstance(refused.parsed, StateConflictProblem), refused


def check_tokens() -> None:
    made = create_token.sync(client=client, body=TokenRequest(scopes=[Scope.READ], name="python", expires_in_days=1))
    assert isinstance(made, IssuedToken) and made.token.startswith("slc_"), made
    known = list_tokens.sync(client=client)
    assert isinstance(known, TokenList) and made.id in {token.id for token in known.tokens}, known
    assert revoke_token.sync_detailed(made.id, client=client).status_code == 204


def check_forbidden() -> None:
    answer = submit.sync_detailed(client=reader, body=Submission(type_=QUICK))
    assert answer.status_code == 403 and isinstance(answer.parsed, ForbiddenProblem), answer
    assert answer.parsed.details["needed"] == "submit", answer.parsed


def check_wrong_token() -> None:
    stranger = AuthenticatedClient(base_url=URL, token="slc_" + "A" * 43, raise_on_unexpected_status=True)
    answer = submit.sync_detailed(client=stranger, body=Submission(type_=QUICK))
    assert answer.status_code in (401, 403) and isinstance(answer.parsed, GatewayMessage), answer
    missing = get.sync_detailed("some-id", client=nobody)
    assert missing.status_code == 401 and isinstance(missing.parsed, GatewayMessage), missing


def main() -> None:
    checks = [each for name, each in globals().items() if name.startswith("check_")]
    for check in checks:
        began = time.monotonic()
        check()
        print(f"  {check.__name__.removeprefix('check_'):20} {time.monotonic() - began:5.2f} s", flush=True)
    print(f"{len(checks)} checks passed")


if __name__ == "__main__":
    main()
