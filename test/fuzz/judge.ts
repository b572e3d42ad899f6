import { ERROR_CODES } from '@sluice/contracts';
import { answerFault, operationOf, requestFault, type Operation } from '../openapi/conformance.ts';
import type { Draft, FuzzRequest } from './requests.ts';
import type { FuzzAnswer } from './send.ts';

/** Codes that a request may be answered with although it is as the document says: they are about what is there. */
const OF_WHAT_IS_THERE = new Set(['unknown_type', 'unknown_queue', 'bad_cursor', 'not_enabled']);
/** Statuses of the server itself for what is no HTTP request, or whose head is too large. */
const NO_REQUEST = new Set([400, 414, 431]);

/** What is wrong with an answer; `undefined` when nothing is. */
export function judge(sent: FuzzRequest, answer: FuzzAnswer): string | undefined {
  const { status, text } = answer;
  if (status >= 500) return `a ${status}`;
  if (answer.headers.get('content-type') === null && text === '' && NO_REQUEST.has(status)) return undefined;
  // A head without a body is what HEAD is, and no route has it.
  if (sent.method === 'HEAD') return text === '' && (status === 404 || status === 413) ? undefined : `HEAD is answered ${status}`;
  // As the server reads it: dots are taken away.
  const asked = new URL(`http://api${sent.path}`);
  const operation = operationOf(sent.method, asked.pathname);
  // A path with an empty id may also come to the platform, which refuses it in its own words.
  if (operation === undefined)
    return status >= 400 && codeOf(text) !== undefined ? problemFault(answer) : `no such route, and yet ${status}`;
  // The gateway counts a body also where none belongs.
  if (status === 413 && operation.requestBody === undefined) return codeOf(text) === undefined ? 'a 413 that says nothing' : undefined;
  const fault = answerFault(operation, answer) ?? problemFault(answer);
  if (fault !== undefined) return fault;
  const { draft } = sent;
  if (status < 300 && !mayDo(draft, operation)) return 'done without the right to it';
  if (draft.mutations.length === 0 && status === 400 && !OF_WHAT_IS_THERE.has(codeOf(text) ?? ''))
    return 'refused, though it is as the document says';
  if (status >= 300 || isPartly(operation.operationId)) return undefined;
  const wrong = requestFault(operation, asked, sent.body?.toString());
  return wrong === undefined ? undefined : `done, though the request is not as the document says: ${wrong}`;
}

function mayDo({ caller, headers }: Draft, { security }: Operation): boolean {
  const [scope] = security;
  if (scope === undefined) return true;
  if (headers['authorization'] !== undefined) return false;
  return caller === 'all' || (caller === 'reader' && scope.bearer.includes('read'));
}

/** A batch is done with the tasks that are right. */
function isPartly(name: string): boolean {
  return name === 'submitBatch';
}

function problemFault({ headers, status, text }: FuzzAnswer): string | undefined {
  if (headers.get('content-type') !== 'application/problem+json') return undefined;
  const code = codeOf(text);
  if (code === undefined || !(code in ERROR_CODES)) return `a problem of the code ${code}`;
  return ERROR_CODES[code as keyof typeof ERROR_CODES].status === status ? undefined : `${code} under the status ${status}`;
}

/** The code of a problem, or the message of the gateway. */
export function codeOf(text: string): string | undefined {
  try {
    const { code, message } = JSON.parse(text) as { code?: string; message?: string };
    return code ?? message;
  } catch {
    return undefined;
  }
}
