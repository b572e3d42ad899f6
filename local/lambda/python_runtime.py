"""The Python runtime of one execution environment: requests come as JSON lines on fd 3, answers go to fd 4.

The handler's own stdout and stderr stay free for what it prints.
"""
import importlib
import json
import os
import sys
import time
import traceback

OPTIONS = json.loads(os.environ.pop("_HOST_RUNTIME_OPTIONS"))
REQUESTS = os.fdopen(3, "r", encoding="utf-8")
ANSWERS = os.fdopen(4, "w", encoding="utf-8")


def answer(message):
    ANSWERS.write(json.dumps(message) + "\n")
    ANSWERS.flush()


def describe(error, error_type=None):
    frames = traceback.format_tb(error.__traceback__)[1:]
    return {"errorType": error_type or type(error).__name__, "errorMessage": str(error), "stackTrace": frames}


class Context:
    def __init__(self, request):
        self._deadline = time.time() * 1000 + request["timeoutMs"]
        self.aws_request_id = request["requestId"]
        self.invoked_function_arn = request["invokedFunctionArn"]
        self.function_version = request["functionVersion"]
        self.function_name = OPTIONS["functionName"]
        self.memory_limit_in_mb = str(OPTIONS["memoryMb"])
        self.log_group_name = OPTIONS["logGroupName"]
        self.log_stream_name = OPTIONS["logStreamName"]
        self.client_context = request.get("clientContext")
        self.identity = None

    def get_remaining_time_in_millis(self):
        return max(0, int(self._deadline - time.time() * 1000))


def limit_memory():
    try:
        import resource

        limit = OPTIONS["memoryMb"] * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    except (ImportError, ValueError, OSError):
        pass  # Not every system limits a process's data.


def load_handler():
    module_name, _, function_name = OPTIONS["handler"].rpartition(".")
    sys.path.insert(0, OPTIONS["codeDirectory"])
    os.chdir(OPTIONS["codeDirectory"])
    module = importlib.import_module(module_name.replace("/", "."))
    return getattr(module, function_name)


def main():
    limit_memory()
    try:
        handler = load_handler()
    except ImportError as error:
        text = f"Unable to import module '{OPTIONS['handler'].rpartition('.')[0]}': {error}"
        return answer({"type": "initError", "error": {**describe(error, "Runtime.ImportModuleError"), "errorMessage": text}})
    except SyntaxError as error:
        return answer({"type": "initError", "error": describe(error, "Runtime.UserCodeSyntaxError")})
    except AttributeError as error:
        text = f"Handler '{OPTIONS['handler'].rpartition('.')[2]}' missing on module: {error}"
        return answer({"type": "initError", "error": {**describe(error, "Runtime.HandlerNotFound"), "errorMessage": text}})
    except Exception as error:
        return answer({"type": "initError", "error": describe(error)})
    answer({"type": "ready"})
    for line in REQUESTS:
        run(handler, json.loads(line))


def run(handler, request):
    os.environ["_X_AMZN_TRACE_ID"] = request["traceId"]
    request_id = request["requestId"]
    try:
        result = handler(json.loads(request["event"]), Context(request))
        try:
            payload = json.dumps(result)
        except (TypeError, ValueError) as error:
            answer({"type": "error", "requestId": request_id, "error": {
                "errorType": "Runtime.MarshalError",
                "errorMessage": f"Unable to marshal response: {error}",
                "stackTrace": [],
            }})
            return
        limit = OPTIONS["maxResponseBytes"]
        if len(payload.encode("utf-8")) > limit:
            answer({"type": "error", "requestId": request_id, "error": {
                "errorType": "Function.ResponseSizeTooLarge",
                "errorMessage": f"Response payload size exceeded maximum allowed payload size ({limit} bytes).",
            }})
            return
        answer({"type": "result", "requestId": request_id, "payload": payload})
    except Exception as error:
        answer({"type": "error", "requestId": request_id, "error": describe(error)})
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


main()
