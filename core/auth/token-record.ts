import type { TokenRecord } from '@sluice/contracts';

/** The id of a token: names it where the token must not be seen. */
export function tokenIdOf(hash: string): string {
  return `tok_${hash.slice(0, 16)}`;
}

/** Whether a token works: it does until the instant that it expires. */
export function isLive({ expiresAt }: Pick<TokenRecord, 'expiresAt'>, now: number): boolean {
  return expiresAt === undefined || expiresAt > now;
}
