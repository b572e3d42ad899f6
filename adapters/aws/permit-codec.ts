import type { Permit } from '../../core/ports/permit-store.ts';

/**
 * A permit as an element of its cell's set: `expiry|uid|fence|nonce`, the numbers in base 36. A lane cell is written at
 * every claim and every end, 1 KB at a time, so what is saved here is permits that one write unit holds.
 */
export function textOfPermit({ expiry, uid, fence, nonce }: Permit): string {
  return `${expiry.toString(36)}|${uid}|${fence.toString(36)}|${nonce}`;
}

/** @returns nothing for what is no permit. */
export function permitOfText(text: string): Permit | undefined {
  const [expiry, uid, fence, nonce] = text.split('|');
  if (expiry === undefined || uid === undefined || fence === undefined || nonce === undefined) return undefined;
  return { expiry: Number.parseInt(expiry, 36), uid, fence: Number.parseInt(fence, 36), nonce };
}
