import { ERROR_CODES, LIMITS, problemSchema, type ErrorCode } from '@sluice/contracts';
import * as z from 'zod';
import type { ZodOpenApiResponseObject } from 'zod-openapi';

/** What each code means, and what to do about it. */
const MEANINGS: Record<ErrorCode, string> = {
  bad_request: 'Something in the request is missing, wrong or not known; `detail` names it.',
  malformed_json: 'The body is no JSON in UTF-8.',
  unknown_type: 'No task type of that name is deployed; `details.known` has those that are.',
  unknown_queue: 'No queue of that name is declared for notifications of this tenant; `details.known` has those that are.',
  bad_cursor: 'The cursor is none of this API, or of a list with other filters: begin again without it.',
  payload_too_large: `The payload is larger than ${LIMITS.payloadBytes} bytes of JSON: put the input into an object of your own and its key into the payload.`,
  body_too_large: `The whole body is larger than ${LIMITS.bodyBytes} bytes: send fewer tasks in a call.`,
  too_many_tasks: `A batch has more than ${LIMITS.batchTasks} tasks.`,
  not_enabled: 'This deployment was made without that feature.',
  unauthorized: 'The call has no credentials.',
  forbidden: 'The credentials lack the scope that the call needs; `details.needed` names it.',
  not_found: 'This tenant has nothing of that id: it never was, or it has been deleted.',
  id_conflict: 'The id is taken by a task with another type or payload.',
  state_conflict: 'What is asked for does not go with the state that it is in; `detail` says which that is.',
  too_many_tokens: `The tenant has as many tokens as it may have (${LIMITS.tokens}, while they are rotated ${2 * LIMITS.tokens}): revoke one first.`,
  no_webhook_secret: 'The tenant has no secret to sign webhooks with: make one first.',
  too_many_webhook_secrets: `The tenant has as many webhook secrets as it may have (${LIMITS.webhookSecrets}): delete one that no receiver uses.`,
  too_many_schedules: `The tenant has as many schedules as it may have (${LIMITS.schedules}): delete one first.`,
  too_many_redrives: `The tenant has ${LIMITS.redrives} redrives that have not ended: wait for one to end, or cancel one.`,
  payload_gone: 'The payload has been deleted: submit the task anew.',
  throttled: 'More than the platform takes now, and more than the fair share of the tenant: come back after `Retry-After`.',
  rate_limited: 'The tenant submits more tasks a second than it may: come back after `Retry-After`.',
  backlog_full: 'As many tasks of the tenant wait as may: come back after `Retry-After`.',
  backlog_too_old: 'The oldest task of the tenant has waited longer than it may: come back after `Retry-After`.',
  unavailable: 'A service behind the platform did not answer: call again after `Retry-After`, a submission with the same id.',
  internal: 'Something failed on the side of the platform; the call may be repeated.',
};

/** Statuses that API Gateway may answer by itself, with a body of its own. */
const GATEWAY: Readonly<Record<number, string>> = {
  401: 'no `Authorization` header',
  403: 'a token that is malformed, unknown, revoked or expired',
  404: 'a path that is none of this API, such as one with an empty id',
  413: 'a request that is larger than the gateway takes',
  429: 'more calls than the stage lets through',
  500: 'a function that broke off',
  503: 'a function that is at its limit, or an answer that took longer than 30 s',
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is wrong',
  401: 'No credentials',
  403: 'Not allowed',
  404: 'Not found',
  409: 'A conflict with what is there',
  410: 'Gone',
  413: 'Too large',
  429: 'Too many calls',
  500: 'A failure of the platform',
  503: 'Not available now',
};

/** What API Gateway says where the platform itself is not asked. */
export const gatewayMessageSchema = z.object({ message: z.string() }).meta({
  id: 'GatewayMessage',
  description: 'What API Gateway answers by itself, before or instead of the platform. It has no code: go by the status.',
  example: { message: 'Forbidden' },
});

/** A problem of one code, which is what tells it from the others. */
const PROBLEMS = Object.fromEntries(
  (Object.keys(ERROR_CODES) as ErrorCode[]).map((code) => [
    code,
    problemSchema
      .extend({ type: z.literal(`urn:sluice:error:${code}`), status: z.literal(ERROR_CODES[code].status), code: z.literal(code) })
      .meta({ id: `${pascal(code)}Problem`, description: MEANINGS[code] }),
  ]),
) as unknown as Record<ErrorCode, z.ZodType>;

/** Answers that most routes have alike are components. */
const SHARED: Readonly<Record<string, string>> = {
  '401 unauthorized': 'Unauthorized',
  '403 forbidden': 'Forbidden',
  '404 not_found': 'NotFound',
  '429 ': 'TooManyCalls',
  '500 internal': 'Failure',
  '503 unavailable': 'Unavailable',
};
const shared = new Map<string, ZodOpenApiResponseObject>();

/** The answers of a route that can fail with these codes, by status; those of the gateway are added. */
export function errorResponses(codes: readonly ErrorCode[]): Record<string, ZodOpenApiResponseObject> {
  const statuses = new Set<number>(codes.map((code) => ERROR_CODES[code].status));
  statuses.add(429).add(500).add(503);
  const responses = [...statuses]
    .toSorted((a, b) => a - b)
    .map((status) => {
      const own = codes.filter((code) => ERROR_CODES[code].status === status);
      const key = `${status} ${own.join(' ')}`;
      const response = shared.get(key) ?? { ...errorResponse(status, own), ...(SHARED[key] && { id: SHARED[key] }) };
      // Components are known by identity.
      if (SHARED[key]) shared.set(key, response);
      return [String(status), response] as const;
    });
  return Object.fromEntries(responses);
}

function errorResponse(status: number, codes: readonly ErrorCode[]): ZodOpenApiResponseObject {
  const gateway = GATEWAY[status];
  const problems = codes.map((code) => PROBLEMS[code]);
  const description = [
    `${TITLES[status]}: ${codes.map((code) => `\`${code}\``).join(', ')}`.replace(/: $/, ''),
    ...(gateway === undefined ? [] : [`${codes.length > 0 ? 'or, from' : 'from'} API Gateway, ${gateway}`]),
  ].join('; ');
  const passes = status === 429 || status === 503;
  return {
    description: `${description}.`,
    ...(passes && codes.length > 0 && { headers: z.object({ 'Retry-After': retryAfter(1) }) }),
    content: {
      // The message stands beside the problems because generators of clients take the first content type for all.
      ...(problems.length > 0 && {
        'application/problem+json': { schema: oneOf([...problems, ...(gateway ? [gatewayMessageSchema] : [])]) },
      }),
      ...(gateway !== undefined && { 'application/json': { schema: gatewayMessageSchema } }),
    },
  };
}

/** The header that says when to come back. */
export function retryAfter(least: number): z.ZodType {
  return z
    .int()
    .min(least)
    .max(LIMITS.retryAfterSeconds)
    .optional()
    .meta({ description: 'Seconds to wait before the next call.', example: 1 });
}

function oneOf(schemas: readonly z.ZodType[]): z.ZodType {
  const [only] = schemas;
  return only !== undefined && schemas.length === 1 ? only : z.union(schemas as [z.ZodType, z.ZodType]);
}

function pascal(code: string): string {
  return code.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
