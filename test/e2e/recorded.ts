import { answerFault, operationOf, requestFault } from '../openapi/conformance.ts';

/** A call that was not as the OpenAPI document says. Thrown into the test that made the call, which fails of it. */
export class UndocumentedError extends Error {
  override readonly name = 'UndocumentedError';
}

export interface RecordedInit extends RequestInit {
  /** Sent so on purpose: only the answer is held against the document. */
  readonly isWrong?: boolean;
}

/**
 * `fetch` that holds each request and its answer against the document. A request is held against it when it was
 * accepted: what is refused may well be wrong, for that is what a test of it is about.
 *
 * @param baseUrl of the API, without a slash at its end
 * @throws UndocumentedError
 */
export async function recorded(baseUrl: string, url: string, { isWrong = false, ...init }: RecordedInit): Promise<Response> {
  const response = await fetch(url, init);
  const { method = 'GET', body } = init;
  const asked = new URL(url.slice(baseUrl.length), 'http://api');
  const operation = operationOf(method, asked.pathname);
  const text = await response.clone().text();
  if (operation === undefined) {
    if (response.status !== 404)
      throw new UndocumentedError(`${method} ${asked.pathname} is answered ${response.status} and is not in the document`);
    return response;
  }
  const fault =
    answerFault(operation, { status: response.status, headers: response.headers, text }) ??
    (response.ok && !isWrong ? requestFault(operation, asked, textOf(body)) : undefined);
  if (fault === undefined) return response;
  throw new UndocumentedError(`${method} ${url} is not as the document says: ${fault}\n${text.slice(0, 1_000)}`);
}

/** A body of text, or of its bytes. */
function textOf(body: RequestInit['body']): string | undefined {
  if (typeof body === 'string') return body;
  return body instanceof ArrayBuffer || ArrayBuffer.isView(body) ? new TextDecoder().decode(body) : undefined;
}
