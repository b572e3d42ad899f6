import { fromEnv } from '@aws-sdk/credential-provider-env';
import { fromHttp } from '@aws-sdk/credential-provider-http';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** ms before they expire that new ones are asked for. */
const EARLY_MS = 5 * 60_000;

/**
 * Keeps credentials until shortly before they expire. While new ones are on their way, or can't be had, those that are
 * still valid serve on.
 */
export function kept(read: () => Promise<Credentials>, now: () => number = Date.now): () => Promise<Credentials> {
  let known: Credentials | undefined;
  let reading: Promise<Credentials> | undefined;
  const lasts = (ms: number): boolean => known !== undefined && (known.expiration?.getTime() ?? Infinity) > now() + ms;

  const readOnce = (): Promise<Credentials> => {
    reading ??= read()
      .then((credentials) => (known = credentials))
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };

  return async () => {
    if (known && lasts(EARLY_MS)) return known;
    const fresh = readOnce();
    if (!known || !lasts(0)) return fresh;
    fresh.catch(() => {});
    return known;
  };
}

/**
 * Lambda's two ways to give credentials, asked once for all clients: the environment, or the endpoint that
 * `AWS_CONTAINER_CREDENTIALS_FULL_URI` names. None of the SDK's others (profiles, SSO, instances) exists there.
 */
export const lambdaCredentials = kept(async () => (process.env['AWS_ACCESS_KEY_ID'] ? fromEnv()() : fromHttp()()));
