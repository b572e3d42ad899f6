import document from '@sluice/contracts/openapi.json' with { type: 'json' };
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** One operation of the document, as far as tests look into it. */
export interface Operation {
  readonly operationId: string;
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly security: readonly { readonly bearer: readonly string[] }[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<string, { readonly $ref?: string }>;
}

export interface Parameter {
  readonly in: 'path' | 'query';
  readonly name: string;
  readonly schema: { readonly type?: string; readonly $ref?: string };
  readonly explode?: boolean;
}

interface ResponseObject {
  readonly headers?: Record<string, unknown>;
  readonly content?: Record<string, unknown>;
}

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: { readonly get: (name: string) => string | null };
  readonly text: string;
}

export const OPERATIONS: readonly Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ ...(operation as Operation), method: method.toUpperCase(), path })),
);

/** The operation that a request is for: like the gateway, the path without parameters first. */
export function operationOf(method: string, path: string): Operation | undefined {
  const fits = OPERATIONS.filter((each) => each.method === method && patternOf(each.path).test(path));
  return fits.find((each) => !each.path.includes('{')) ?? fits[0];
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

const ajv = new Ajv2020({ strict: false, allErrors: false });
addFormats.default(ajv);
ajv.addSchema(document, 'requests');
ajv.addSchema(closed(document) as object, 'answers');
const compiled = new Map<string, ValidateFunction>();

/** What is wrong with a value by the schema at a place of the document; `undefined` when nothing is. */
export function faultOf(where: 'requests' | 'answers', place: readonly string[], value: unknown): string | undefined {
  const pointer = place.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const $ref = `${where}#/${pointer}`;
  const validate = compiled.get($ref) ?? ajv.compile({ $ref });
  compiled.set($ref, validate);
  return validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: 'it' });
}

/** What is wrong with an answer; `undefined` when it is as the document says. */
export function answerFault(operation: Operation, answer: Answer): string | undefined {
  const at = ['paths', operation.path, operation.method.toLowerCase(), 'responses', String(answer.status)];
  const { place, response } = resolved(at, operation.responses[String(answer.status)]);
  if (response === undefined) return `${operation.operationId} has no answer ${answer.status}`;
  const type = answer.headers.get('content-type')?.split(';')[0]?.trim();
  if (response.content === undefined) return answer.text === '' ? undefined : 'a body where there is none';
  if (type === undefined || !(type in response.content)) return `${answer.status} of ${operation.operationId} has no content type ${type}`;
  const body = parsed(answer.text);
  if (body === undefined) return `the body is not JSON: ${answer.text.slice(0, 100)}`;
  return faultOf('answers', [...place, 'content', type, 'schema'], body) ?? headerFault(answer, type, place, response, body);
}

/** Who says so must also say when to come back; the gateway does not. */
function headerFault(answer: Answer, type: string, place: readonly string[], response: ResponseObject, body: unknown): string | undefined {
  if (type === 'application/problem+json' && (body as { status?: unknown }).status !== answer.status) return 'a problem of another status';
  if (type === 'application/json' && answer.status >= 400) return undefined;
  const header = answer.headers.get('retry-after');
  if (response.headers?.['Retry-After'] === undefined) return header === null ? undefined : 'Retry-After is not told of';
  if (header === null || !/^\d+$/.test(header)) return `Retry-After is ${header}`;
  return faultOf('answers', [...place, 'headers', 'Retry-After', 'schema'], Number(header));
}

/** What is wrong with a request. */
export function requestFault(operation: Operation, url: URL, body: string | undefined): string | undefined {
  const at = ['paths', operation.path, operation.method.toLowerCase()];
  const parameters = operation.parameters ?? [];
  // A call without parameters does not look at what stands there.
  const names = parameters.some((each) => each.in === 'query') ? new Set(url.searchParams.keys()) : [];
  for (const name of names) {
    const index = parameters.findIndex((each) => each.in === 'query' && each.name === name);
    const parameter = parameters[index];
    if (parameter === undefined) return `there is no parameter ${name}`;
    const fault = faultOf('requests', [...at, 'parameters', String(index), 'schema'], valueOf(parameter, url.searchParams.getAll(name)));
    if (fault !== undefined) return `${name}: ${fault}`;
  }
  const { requestBody } = operation;
  if (body === undefined || body === '') return requestBody?.required === true ? 'there is no body' : undefined;
  if (requestBody === undefined) return undefined;
  return faultOf('requests', [...at, 'requestBody', 'content', 'application/json', 'schema'], parsed(body.replace(/^\ufeff/, '')));
}

function valueOf({ schema, explode = true }: Parameter, given: readonly string[]): unknown {
  if (schema.type === 'array') return explode ? given : given.flatMap((text) => (text === '' ? [] : text.split(',')));
  // Of one that is there twice the gateway makes one text.
  const text = given.join(',');
  return schema.type === 'integer' && /^-?\d+$/.test(text) ? Number(text) : text;
}

function resolved(at: readonly string[], response: { $ref?: string } | undefined): { place: readonly string[]; response?: ResponseObject } {
  const name = response?.$ref?.split('/').at(-1);
  if (name === undefined) return { place: at, ...(response && { response: response as ResponseObject }) };
  const responses = document.components.responses as Record<string, ResponseObject>;
  return { place: ['components', 'responses', name], ...(responses[name] && { response: responses[name] }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The document leaves answers open, for what later versions add; what this one adds has to be in it. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closed(each)]));
  return 'properties' in inner && !('additionalProperties' in inner) && inner['type'] === 'object'
    ? { ...inner, additionalProperties: false }
    : inner;
}
