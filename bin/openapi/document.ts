import * as contracts from '@sluice/contracts';
import { join } from 'node:path';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { z } from 'zod';
import { commentOf, readComments } from './comments.ts';
import type { Operation } from './operation.ts';
import { OPERATIONS } from './operations.ts';
import { errorResponses } from './problems.ts';
import { FORBIDDEN } from './refinements.ts';
import { WEBHOOKS } from './webhooks.ts';

const { LIMITS, ROUTES } = contracts;
const SOURCES = join(import.meta.dirname, '..', '..', 'packages', 'contracts', 'src');

/** Schemas that have a name in the document, and what the contracts call them. */
const COMPONENTS = {
  Accepted: 'acceptedSchema',
  Attempt: 'attemptViewSchema',
  AttemptAnswer: 'attemptAnswerSchema',
  AttemptQuestion: 'attemptQuestionSchema',
  BatchResponse: 'batchResponseSchema',
  Cancelled: 'cancelledSchema',
  Breaker: 'breakerViewSchema',
  BreakerList: 'breakerListSchema',
  Canary: 'canarySchema',
  CanaryResult: 'canaryResultSchema',
  DeadFilter: 'deadFilterSchema',
  DeadReason: 'deadReasonSchema',
  DeadResponse: 'deadResponseSchema',
  DeadTask: 'deadTaskSchema',
  EndReason: 'endReasonSchema',
  ErrorCode: 'errorCodeSchema',
  Health: 'healthSchema',
  HeavyHitters: 'heavyHittersSchema',
  IssuedToken: 'issuedTokenSchema',
  IssuedWebhookSecret: 'issuedWebhookSecretSchema',
  Labels: 'labelsSchema',
  Lane: 'laneViewSchema',
  LaneList: 'laneListSchema',
  LaneSummary: 'laneSummarySchema',
  ListResponse: 'listResponseSchema',
  Misfire: 'misfireSchema',
  Notification: 'notificationSchema',
  Notify: 'notifySchema',
  OutcomeClass: 'outcomeClassSchema',
  PreviewRequest: 'previewRequestSchema',
  Priority: 'prioritySchema',
  Problem: 'problemSchema',
  Quota: 'quotaSchema',
  QuotaList: 'quotaListSchema',
  QuotaView: 'quotaViewSchema',
  Redrive: 'redriveSchema',
  RedriveList: 'redriveListSchema',
  RedrivePlan: 'redrivePlanSchema',
  RedriveRequest: 'redriveRequestSchema',
  RedriveState: 'redriveStateSchema',
  RetryOverride: 'retryOverrideSchema',
  RetryRequest: 'retryRequestSchema',
  RetryRule: 'retryRuleSchema',
  RotateRequest: 'rotateRequestSchema',
  ScheduleRequest: 'scheduleRequestSchema',
  Scope: 'scopeSchema',
  Submission: 'submissionSchema',
  Task: 'taskViewSchema',
  TaskError: 'taskErrorSchema',
  TaskEvent: 'taskEventSchema',
  TaskId: 'taskIdSchema',
  TaskState: 'taskStateSchema',
  TaskSummary: 'taskSummarySchema',
  TaskType: 'taskTypeNameSchema',
  TaskViewState: 'taskViewStateSchema',
  Tenant: 'tenantSchema',
  Time: 'timeSchema',
  TokenId: 'tokenIdSchema',
  TokenList: 'tokenListSchema',
  TokenRequest: 'tokenRequestSchema',
  Token: 'tokenViewSchema',
  Uid: 'uidSchema',
  TerminalState: 'terminalStateSchema',
  WaitResponse: 'waitResponseSchema',
  Waiting: 'waitingSchema',
  WebhookBody: 'webhookBodySchema',
  WebhookSecretId: 'webhookSecretIdSchema',
  WebhookSecretList: 'webhookSecretListSchema',
  WebhookSecretRequest: 'webhookSecretRequestSchema',
  WebhookSecret: 'webhookSecretViewSchema',
} as const satisfies Record<string, keyof typeof contracts>;

const ABOUT = `Sluice stores, delays, deduplicates, retries and settles tasks, and calls your handler for one at a time.

**Credentials.** \`Authorization: Bearer slc_…\`, a token of one tenant with scopes; \`admin\` includes the others. A deployment without tokens takes requests that are signed with SigV4 instead.

**Errors** of the platform are problem details (RFC 9457) with a stable \`code\`. API Gateway answers some calls by itself with \`{"message": "…"}\`; beyond what is told here also 400, 413, 414 and 431 for requests that are not well-formed HTTP, or whose line, headers or body are too long. Repeat a call after 429 and 5xx: reading changes nothing, and a submission with an id is the same task.

**Growth.** Answers may get more fields in later versions: ignore those that you do not know. Requests with unknown fields are refused. Times are ISO 8601 with an offset, durations are seconds unless they say otherwise, and lengths of texts count UTF-16 code units. Calls that take no query parameters ignore any.`;

/** The OpenAPI document of the API, made from the contracts. @param version of the platform */
export function createApiDocument(version: string) {
  const document = createDocument(
    {
      openapi: '3.1.1',
      info: { title: 'Sluice', version, description: ABOUT, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      servers: [{ url: '/', description: 'Where this document is served.' }],
      tags: [
        { name: 'Tasks', description: 'Work that is to be done.' },
        { name: 'Dead letters', description: 'Tasks that failed for good, and running them again.' },
        { name: 'Tokens', description: 'Credentials of the tenant.' },
        { name: 'Webhooks', description: 'What is told of the ends of tasks, and the secrets that it is signed with.' },
        { name: 'Attempts', description: 'What running handlers ask.' },
        { name: 'Operators', description: 'What is about all tenants.' },
        { name: 'Platform', description: 'The deployment itself.' },
      ],
      security: [{ bearer: [] }],
      paths: paths(),
      webhooks: WEBHOOKS,
      components: {
        schemas: {
          ...Object.fromEntries(Object.entries(COMPONENTS).map(([name, schema]) => [name, contracts[schema]])),
          // Without a name of their own, generators of clients make one up.
          BatchAccepted: contracts.batchResultSchema.options[0],
          BatchRefused: contracts.batchResultSchema.options[1],
        },
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API token: `slc_` and 43 characters. The names beside it are the scopes.',
          },
        },
      },
    },
    { override: ({ zodSchema, jsonSchema }) => refine(zodSchema, jsonSchema as JsonSchema) },
  );
  describe(document as unknown as Described);
  return document;
}

function paths(): ZodOpenApiPathsObject {
  const found: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [name, operation] of Object.entries(OPERATIONS) as [contracts.RouteName, Operation][]) {
    const { method, path } = ROUTES[name];
    (found[path] ??= {})[method.toLowerCase()] = operationObject(name, operation);
  }
  return found;
}

function operationObject(name: contracts.RouteName, operation: Operation): ZodOpenApiOperationObject {
  const { tag, summary, path, query, body, success } = operation;
  const { scope, or }: contracts.ApiRoute = ROUTES[name];
  const needed = [scope, or].flatMap((each) => each ?? []);
  const needs = needed.map((each) => `\`${each}\``).join(' or ');
  const description = scope === undefined ? operation.description : `${operation.description}\n\nNeeds the scope ${needs}.`;
  return {
    operationId: name,
    tags: [tag],
    summary,
    description,
    security: needed.map((each) => ({ bearer: [each] })),
    ...((path ?? query) && { requestParams: { ...(path && { path }), ...(query && { query }) } }),
    ...(body && {
      requestBody: {
        required: body.isOptional !== true,
        content: { 'application/json': { schema: body.schema, example: body.example } },
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(success).map(([status, { description, schema, headers, example }]) => [
          status,
          {
            description,
            ...(headers && { headers }),
            ...(schema && { content: { 'application/json': { schema, ...(example !== undefined && { example }) } } }),
          },
        ]),
      ),
      ...errorResponses(codesOf(operation, scope)),
    },
  };
}

/** What a route can fail with: its own codes, and those of its kind. */
function codesOf({ codes, body }: Operation, scope: contracts.Scope | undefined): contracts.ErrorCode[] {
  const all: contracts.ErrorCode[] = [...codes, 'internal'];
  if (body) all.push('malformed_json', 'body_too_large');
  if (scope !== undefined) all.push('unauthorized', 'forbidden', 'unavailable');
  return all;
}

interface JsonSchema {
  [keyword: string]: unknown;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  description?: string;
}

/** What JSON Schema can say of a schema beyond what zod tells it. The same for requests and answers: they share components. */
function refine(zodSchema: z.core.$ZodType, jsonSchema: JsonSchema): void {
  if (zodSchema === contracts.labelsSchema) {
    jsonSchema['maxProperties'] = LIMITS.labels;
    jsonSchema['propertyNames'] = { ...(jsonSchema['propertyNames'] as object), not: { const: '__proto__' } };
  }
  const forbidden = FORBIDDEN.get(zodSchema);
  if (forbidden) jsonSchema['not'] = forbidden;
  // zod tells JavaScript's own bounds of an integer that has no others.
  if (jsonSchema['minimum'] === Number.MIN_SAFE_INTEGER) {
    delete jsonSchema['minimum'];
    delete jsonSchema['maximum'];
  }
  // Only what is strict refuses more: an answer that was closed could never get another field.
  if (jsonSchema['additionalProperties'] === false && !isStrict(zodSchema)) delete jsonSchema['additionalProperties'];
}

function isStrict(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodObject && schema.def.catchall instanceof z.ZodNever;
}

interface Described {
  components: { schemas: Record<string, JsonSchema> };
  paths: Record<string, Record<string, { parameters?: { name: string; description?: string; schema: JsonSchema }[] }>>;
}

/** Puts the comments of the contracts into the document, where nothing else is said. */
function describe(document: Described): void {
  const comments = readComments(SOURCES);
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    const source = COMPONENTS[name as keyof typeof COMPONENTS] as string | undefined;
    if (source === undefined) continue;
    const text = commentOf(comments, source);
    if (text !== undefined) schema.description ??= text;
    const fallback = name === 'RetryOverride' ? 'retryPolicySchema' : source;
    describeProperties(schema, (path) => commentOf(comments, source, path) ?? commentOf(comments, fallback, path));
  }
  for (const route of Object.keys(ROUTES) as contracts.RouteName[]) {
    const { path, method } = ROUTES[route];
    for (const parameter of document.paths[path]?.[method.toLowerCase()]?.parameters ?? []) {
      const text = commentOf(comments, `${route}QuerySchema`, parameter.name);
      if (text !== undefined) parameter.description ??= text;
      // The library says it twice.
      delete parameter.schema.description;
    }
  }
}

function describeProperties(schema: JsonSchema, commentOf: (path: string) => string | undefined, path: readonly string[] = []): void {
  for (const [key, property] of Object.entries((schema.items ?? schema).properties ?? {})) {
    const inner = [...path, key];
    const text = commentOf(inner.join('.'));
    if (text !== undefined) property.description ??= text;
    describeProperties(property, commentOf, inner);
  }
}
