"""Starts MiniStack with what it lacks of AWS Lambda. Its log has a line for every call that IAM refuses, and one for the
first call of each kind that it allows a role.

Mended:
- `invoke_async_with_retry` reads no alias's event configuration, knows no on-success destination and does not wait out
  throttles. The function of that name here does all three, and sends its records as the function's role may.
- It asks policies for `sqs:SendMessageBatch` and its like, where AWS asks for the action of a single message.
- A Node or Python handler's error loses its class on the way out of its worker, and Sluice classes errors by name.
- It would start any number of processes at once, and run five batches of each queue: more than a small machine has
  processors for, so that everything times out. Batches at once are those that Lambda would have at least, starts wait
  for each other.

The configuration is MiniStack's own environment variables.
"""

import datetime
import json
import logging
import threading
import time

from ministack import app
from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.responses import new_uuid
from ministack.services import lambda_svc, sqs, sts

DENIED, ALLOWED = "IAM-DENIED", "IAM-ALLOWED"
STARTS_AT_ONCE = 2
BATCHES_AT_ONCE = 2
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 5.0

log = logging.getLogger("ministack")
enforce_policies = iam_evaluator.enforce
run_in_worker = lambda_runtime.Worker.invoke
execute_warm = lambda_svc._execute_function_warm
spawn_worker = lambda_runtime.Worker._spawn
last_error = threading.local()
allowed = set()
starts = threading.BoundedSemaphore(STARTS_AT_ONCE)


def enforce(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
    if service == "sqs":
        iam_action = iam_action.removesuffix("Batch")
    refusal = enforce_policies(access_key_id, iam_action, service, region, resource_arn, service_context)
    role = (sts._sessions.get(access_key_id) or {}).get("Arn", "")
    if refusal is not None:
        why = getattr(refusal, "decision", "") or getattr(refusal, "code", "")
        call = {"who": role or access_key_id, "action": iam_action, "resource": resource_arn, "why": why}
        log.error("%s %s", DENIED, json.dumps(call))
    elif role and (role, iam_action) not in allowed:
        allowed.add((role, iam_action))
        log.info("%s %s", ALLOWED, json.dumps({"who": role, "action": iam_action, "resource": resource_arn}))
    return refusal


def invoke_async_with_retry(func, event):
    """Takes an asynchronous event: the caller has its answer already, the rest is done on a thread."""
    # A thread of its own has none of the caller's context: what follows is done as the function, not as who called it.
    threading.Thread(target=run_event, args=(func, event), daemon=True).start()


def run_event(func, event):
    config = func.get("config") or func
    arn = config["FunctionArn"]
    spec = lambda_svc.parse_arn(arn)
    lambda_svc._request_account_id.set(spec.account_id)
    lambda_svc._request_region.set(spec.region)
    iam_evaluator.pin_request_origin("127.0.0.1", True)
    _, name, *qualifier = spec.resource.split(":")
    settings = lambda_svc._event_invoke_config(lambda_svc._functions[name], qualifier[0] if qualifier else None) or {}
    oldest = time.time() + int(settings.get("MaximumEventAgeInSeconds", 21_600))
    retries, runs, pause, result = int(settings.get("MaximumRetryAttempts", 2)), 0, FIRST_PAUSE_SECONDS, {}
    while runs <= retries:
        result = lambda_svc._execute_function(func, event)
        if not result.get("throttle"):
            runs += 1
            if result.get("log"):
                log.info("Lambda %s output:\n%s", name, result["log"])
            if not result.get("error") or runs > retries:
                break
        if time.time() + pause > oldest:
            break
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    failed = bool(result.get("error"))
    destinations = settings.get("DestinationConfig") or {}
    target = (destinations.get("OnFailure" if failed else "OnSuccess") or {}).get("Destination")
    if target:
        condition = "Success" if not failed else "EventAgeExceeded" if result.get("throttle") else "RetriesExhausted"
        send_record(config, target, record_of(config, event, result, condition, runs))


def record_of(config, event, result, condition, runs):
    record = {
        "version": "1.0",
        "timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": new_uuid(),
            "functionArn": config["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": runs,
        },
        "requestPayload": event,
    }
    if condition == "EventAgeExceeded":
        return record
    response = {"statusCode": 200, "executedVersion": config.get("Version", "$LATEST")}
    if condition != "Success":
        response["functionError"] = result.get("function_error") or "Unhandled"
    return {**record, "responseContext": response, "responsePayload": result.get("body")}


def send_record(config, target, record):
    """Sends to a queue with the rights of the function's role, as Lambda does."""
    spec = lambda_svc.parse_arn(target)
    key = lambda_runtime.execution_credentials(config)["AWS_ACCESS_KEY_ID"]
    if spec.service != "sqs" or enforce(key, "sqs:SendMessage", "sqs", spec.region, target) is not None:
        log.error("the record of %s was not sent to %s", config["FunctionArn"], target)
        return
    url = sqs._queue_url(spec.resource)
    try:
        sqs._act_send_message({"QueueUrl": url, "MessageBody": json.dumps(record)}, url)
    except sqs._Err as error:
        log.error("the record of %s was not sent to %s: %s", config["FunctionArn"], target, error)


def spawn_in_turn(self):
    with starts:
        spawn_worker(self)


def invoke_worker(self, *args, **kwargs):
    result = run_in_worker(self, *args, **kwargs)
    last_error.type = result.get("errorType")
    return result


def execute_function_warm(func, event, request_id):
    last_error.type = None
    result = execute_warm(func, event, request_id)
    if result.get("error") and isinstance(result.get("body"), dict) and last_error.type:
        result["body"]["errorType"] = last_error.type
    return result


def with_error_type(script, failure, expression):
    """A worker's script whose answer to a failure names the error's class."""
    if script.count(failure) != 1:
        raise SystemExit(f"this MiniStack's worker is not the one that is known here: {failure!r} is not in it once")
    return script.replace(failure, f"{failure}, {expression}")


iam_evaluator.enforce = enforce
lambda_svc.invoke_async_with_retry = invoke_async_with_retry
lambda_svc._execute_function_warm = execute_function_warm
lambda_svc._ESM_SQS_DEFAULT_CONCURRENCY = BATCHES_AT_ONCE
lambda_runtime.Worker.invoke = invoke_worker
lambda_runtime.Worker._spawn = spawn_in_turn
lambda_runtime._NODEJS_WORKER_SCRIPT = with_error_type(
    lambda_runtime._NODEJS_WORKER_SCRIPT,
    'trace: err.stack || ""',
    "errorType: err instanceof Error ? err.name : typeof err",
)
lambda_runtime._PYTHON_WORKER_SCRIPT = with_error_type(
    lambda_runtime._PYTHON_WORKER_SCRIPT,
    '"trace": traceback.format_exc()',
    '"errorType": type(e).__name__',
)
app.main()
