import { fromEnv } from '@aws-sdk/credential-provider-env';
import type { SluiceClientOptions } from '@sluice/client';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

/** A `fetch` for the client that signs its calls, for a platform with `auth: 'iam'`. */
export function signedFetch(region: string): NonNullable<SluiceClientOptions['fetch']> {
  const signer = new SignatureV4({ service: 'execute-api', region, credentials: fromEnv(), sha256: Sha256 });
  return async (url, { method, headers: { authorization: _, ...headers }, body, signal }) => {
    const { protocol, host, pathname, searchParams } = new URL(url);
    const query = Object.fromEntries([...searchParams.keys()].map((key) => [key, searchParams.getAll(key)]));
    const sent = body !== undefined && { body };
    const call = { method, protocol, hostname: host, path: pathname, query, headers: { ...headers, host }, ...sent };
    const signed = await signer.sign(call);
    return fetch(url, { method, headers: signed.headers, signal, ...sent });
  };
}
