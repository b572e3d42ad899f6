import { LIMITS, SluiceError } from '@sluice/contracts';
import type { HttpEvent } from './event.ts';

/**
 * The JSON of a request's body.
 * @throws SluiceError `body_too_large`, `malformed_json`
 */
export function jsonBody(event: Pick<HttpEvent, 'body' | 'isBase64Encoded'>): unknown {
  const text = bodyText(event);
  if (text.trim() === '') throw new SluiceError('malformed_json', 'the body is empty; send one JSON object in UTF-8');
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('malformed_json', `the body is not JSON: ${why}`, { cause });
  }
}

function bodyText({ body = '', isBase64Encoded }: Pick<HttpEvent, 'body' | 'isBase64Encoded'>): string {
  // Measured before it is decoded: four characters of base64 are three bytes.
  const bytes = isBase64Encoded ? Math.floor((body.length * 3) / 4) - padding(body) : Buffer.byteLength(body);
  if (bytes > LIMITS.bodyBytes) {
    throw new SluiceError(
      'body_too_large',
      `the body has ${bytes} bytes; one call takes at most ${LIMITS.bodyBytes}: send fewer tasks in a call, and large input as an S3 object of your own`,
      {
        details: { bytes, limit: LIMITS.bodyBytes },
      },
    );
  }
  // As the decoder does: whoever saves JSON with a byte order mark has no other way to send it.
  if (!isBase64Encoded) return body.replace(/^\ufeff/, '');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(body, 'base64'));
  } catch (cause) {
    throw new SluiceError('malformed_json', 'the body is not UTF-8', { cause });
  }
}

function padding(base64: string): number {
  return base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
}
