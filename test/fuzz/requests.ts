import fc from 'fast-check';
import { OPERATIONS, type Operation } from '../openapi/conformance.ts';
import { jsonText } from './odd.ts';
import { SENSIBLE } from './sensible.ts';
import { valueOf, type Overrides } from './values.ts';

/** Whose credentials a request carries: of every scope, of one too small, of nobody, or none. */
export type Caller = 'all' | 'reader' | 'stranger' | 'none';

/** A request before it is text: mutations still know its parts. */
export interface Draft {
  readonly operation: Operation;
  readonly method: string;
  /** Parts of the path, as they are sent. */
  readonly segments: readonly string[];
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** In place of `json`. */
  readonly body?: Buffer;
  readonly caller: Caller;
  /** What was done to it; nothing to one that is as the document says. */
  readonly mutations: readonly string[];
}

/** A request as it is sent. */
export interface FuzzRequest {
  readonly draft: Draft;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** What is there to be asked for. */
export interface Known {
  readonly tasks: readonly string[];
  readonly uids: readonly string[];
  /** Ids of tokens that nobody calls with. */
  readonly tokens: readonly string[];
}

/** Names that schedules of the requests have, so that some are about one that is there. */
const SCHEDULES = ['nightly', 'hourly'];

/** How often each is called, in comparison. */
const WEIGHTS: Readonly<Record<string, number>> = { submit: 6, submitBatch: 3, list: 3, get: 2, wait: 2, attempt: 2 };

/** Requests that are as the document says. */
export function validDrafts(known: Known): fc.Arbitrary<Draft> {
  const overrides = overridesFor(known);
  return fc.oneof(
    ...OPERATIONS.map((operation) => ({ weight: WEIGHTS[operation.operationId] ?? 1, arbitrary: draftOf(operation, known, overrides) })),
  );
}

function draftOf(operation: Operation, known: Known, overrides: Overrides): fc.Arbitrary<Draft> {
  const parameters = operation.parameters ?? [];
  const path = parameters.filter((each) => each.in === 'path').map((each) => segment(each.schema, operation, known, overrides));
  const query = fc.record(
    Object.fromEntries(
      parameters
        .filter((each) => each.in === 'query')
        .map((each) => [each.name, each.name === 'wait' ? fc.integer({ min: 0, max: 1 }) : valueOf(each.schema, overrides)]),
    ),
    { requiredKeys: [], noNullPrototype: true },
  );
  const schema = operation.requestBody?.content['application/json']?.schema;
  const json = schema === undefined ? fc.constant(undefined) : valueOf(schema, overrides);
  return fc.record({ path: fc.tuple(...path), query, json }).map(({ path, query, json }) => ({
    operation,
    method: operation.method,
    segments: segmentsOf(operation.path, path),
    query: pairsOf(ordered(query)),
    headers: json === undefined ? {} : { 'content-type': 'application/json' },
    ...(json !== undefined && { json: operation.operationId === 'retry' ? withoutId(json, path[0]) : json }),
    caller: 'all' as const,
    mutations: [],
  }));
}

function segment(schema: object, operation: Operation, known: Known, overrides: Overrides): fc.Arbitrary<string> {
  // What is no name of a type is refused, as the document says.
  if (['/webhook-secrets', '/lanes/'].some((part) => operation.path.includes(part)))
    return valueOf(schema, overrides) as fc.Arbitrary<string>;
  const there = operation.path.includes('/tokens') ? known.tokens : operation.path.includes('/schedules') ? SCHEDULES : known.tasks;
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...there) },
    { weight: 1, arbitrary: valueOf(schema, overrides) as fc.Arbitrary<string> },
  );
}

/** With another payload it is another task, which cannot have the same id. */
function withoutId(json: unknown, id: string | undefined): unknown {
  const { id: own, ...rest } = json as { readonly id?: string };
  return own === id ? rest : json;
}

function segmentsOf(path: string, values: readonly string[]): string[] {
  let next = 0;
  return path
    .split('/')
    .slice(1)
    .map((part) => (part.startsWith('{') ? encodeURIComponent(values[next++] ?? '') : part));
}

function pairsOf(query: Readonly<Record<string, unknown>>): (readonly [string, string])[] {
  return Object.entries(query).flatMap(([name, value]) =>
    Array.isArray(value)
      ? name === 'include'
        ? [[name, value.join(',')] as const]
        : value.map((each) => [name, String(each)] as const)
      : [[name, String(value)] as const],
  );
}

/** What no schema says of a query: times in their order, one value of a label. */
function ordered(query: Record<string, unknown>): Record<string, unknown> {
  const { from, to, label } = query;
  const inOrder = typeof from !== 'string' || typeof to !== 'string' || Date.parse(from) < Date.parse(to);
  const labels = Array.isArray(label) ? (label as string[]) : [];
  const once = [...new Map(labels.map((each) => [each.slice(0, each.indexOf(':')), each])).values()];
  const { to: _, ...rest } = query;
  return { ...(inOrder ? query : rest), ...(label !== undefined && { label: once }) };
}

/** What makes values sensible and meet what is there. */
function overridesFor(known: Known): Overrides {
  return {
    ...SENSIBLE,
    TaskType: (own) => fc.oneof({ weight: 9, arbitrary: fc.constantFrom('narrow', 'unruly') }, { weight: 1, arbitrary: own }),
    TaskId: (own) => fc.oneof({ weight: 1, arbitrary: fc.constantFrom(...known.tasks) }, { weight: 3, arbitrary: own }),
    Uid: (own) => fc.oneof(fc.constantFrom(...known.uids), own),
    Notify: (own) => own.map((notify) => harmless(notify as Record<string, object | null>)),
  };
}

/** Webhooks of a host that nobody can have (RFC 2606), and queues of which one is there. */
function harmless({ webhook, queue, ...rest }: Record<string, object | null>): unknown {
  return {
    ...rest,
    ...(webhook !== undefined && { webhook: webhook && { ...webhook, url: 'https://receiver.invalid/hook' } }),
    ...(queue !== undefined && { queue: queue && { ...queue, name: Object.keys(queue).length > 1 ? 'ends' : 'none-such' } }),
  };
}

/** A draft as it is sent. */
export function requestOf(draft: Draft, tokens: Readonly<Record<Caller, string | undefined>>): FuzzRequest {
  const { segments, query, headers, json, body } = draft;
  const text = query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
  const token = tokens[draft.caller];
  return {
    draft,
    method: draft.method,
    path: `/${segments.join('/')}${text === '' ? '' : `?${text}`}`,
    headers: { ...headers, ...(token !== undefined && headers['authorization'] === undefined && { authorization: `Bearer ${token}` }) },
    body: body ?? (json === undefined ? undefined : Buffer.from(jsonText(json))),
  };
}

/** Half of a pair has no encoding. */
export function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
