import { createHash, createHmac } from 'node:crypto';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

export interface SignedRequest {
  readonly method: string;
  /** With its query, as it is sent. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Signature {
  /** What the request says. */
  readonly given: string;
  /** What it has to say by the specification of Signature Version 4. */
  readonly wanted: string;
  /** `<key>/<date>/<region>/<service>/aws4_request`. */
  readonly scope: string;
}

/** Judges the signature of a request as the services do, whether it is in a header or in the query. */
export function signatureOf({ method, path, headers, body }: SignedRequest, secret: string): Signature {
  const url = new URL(path, 'http://host');
  const header = String(headers['authorization'] ?? '');
  const inHeader = (name: string): string => new RegExp(`${name}=([^,\\s]+)`).exec(header)?.[1] ?? '';
  const inQuery = (name: string): string => url.searchParams.get(`X-Amz-${name}`) ?? '';
  const told = header ? inHeader : inQuery;

  const scope = told('Credential');
  const [, day = '', region = '', service = ''] = scope.split('/');
  const given = told('Signature');
  url.searchParams.delete('X-Amz-Signature');
  const names = told('SignedHeaders').split(';');
  const canonical = [
    method,
    service === 's3' ? url.pathname : url.pathname.split('/').map(escaped).join('/'),
    [...url.searchParams]
      .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
      .sort()
      .join('&'),
    ...names.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    names.join(';'),
    header ? (headers['x-amz-content-sha256'] ?? sha256(body)) : 'UNSIGNED-PAYLOAD',
  ].join('\n');
  const date = header ? String(headers['x-amz-date']) : inQuery('Date');
  const text = ['AWS4-HMAC-SHA256', date, [day, region, service, 'aws4_request'].join('/'), sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return { given, wanted: hmac(key, text).toString('hex'), scope };
}
