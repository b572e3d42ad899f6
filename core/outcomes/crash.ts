/**
 * How Lambda names the end of a handler's process: its own errors, in place of one that the handler threw.
 *
 * `Runtime.*`: an exit, no memory, an unhandled rejection, and what keeps code from starting (no module, no handler,
 * syntax). `Sandbox.*`: the time-out. `Extension.*`: an extension took it down. Only where a result could not be made into
 * JSON, or an event be read, did the handler live to the end.
 */
const CRASH = /^(?:Runtime|Sandbox|Extension)\.(?!Marshal|Unmarshal|LambdaContextUnmarshal)/;

/** Where the error has no type, or another: what Lambda says of a process that is gone. */
const GONE =
  /^(?:RequestId: \S+ )?(?:Error: )?(?:Runtime exited|Process exited before completing request)|Task timed out after [\d.]+ seconds/;

/** A frame of Lambda's runtime for Node while it loads the code: what was thrown there kept the function from starting. */
const LOADING = /\b(?:_loadUserApp|loadAndGetHandler)\b/;

export interface LambdaError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
}

/** Whether the handler's process ended before it could answer, or never got to run the handler. */
export function isCrash({ name, message, stack }: LambdaError): boolean {
  return CRASH.test(name) || (stack === undefined && GONE.test(message)) || (stack !== undefined && LOADING.test(stack));
}
