import { textOf } from '../assembly/template.ts';

/** An answer of the gateway before it is sent. */
export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[]>;
  body: string | Buffer;
  /** It is the host's own and no call of the API. */
  isOwn?: boolean;
}

/** The server sets these from the body that it really sends. */
const OWN_HEADERS = new Set(['content-length', 'transfer-encoding', 'connection']);

interface ProxyResult {
  statusCode: number;
  headers?: Record<string, unknown>;
  cookies?: string[];
  body?: unknown;
  isBase64Encoded?: boolean;
}

/** What an integration's payload says: a result with a status code is the answer, any other is the body of a 200. */
export function answerOf(payload: string): HttpAnswer {
  const result = JSON.parse(payload) as unknown;
  if (result === null || typeof result !== 'object' || !('statusCode' in result)) {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: typeof result === 'string' ? result : payload };
  }
  const { statusCode, headers: given = {}, cookies, body, isBase64Encoded } = result as ProxyResult;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return refusal(500, 'Internal Server Error');
  const text = body === undefined || body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const bytes = Buffer.from(text, isBase64Encoded === true ? 'base64' : 'utf8');
  const headers: HttpAnswer['headers'] = {};
  const names = new Set(Object.keys(given).map((name) => name.toLowerCase()));
  if (!names.has('content-type') && bytes.length > 0) headers['content-type'] = 'text/plain;charset=utf-8';
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && value !== null && !OWN_HEADERS.has(name.toLowerCase())) headers[name] = textOf(value);
  }
  if (cookies !== undefined && cookies.length > 0) headers['set-cookie'] = cookies;
  return { status, headers, body: bytes };
}

/** The gateway's own answer to what it does not hand on. */
export function refusal(status: number, message: string): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message }) };
}
