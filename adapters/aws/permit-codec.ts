import type { Permit } from '../../core/ports/permit-store.ts';

/**
 * A permit as an element of its cell's set: `expiry|nonce`, the expiry in seconds, rounded up, in base 36. A lane cell is
 * written at every claim and every end, 1 KB at a time, so what is saved here is permits that one write unit holds.
 */
export function textOfPermit({ expiry, nonce }: Permit): string {
  return `${Math.ceil(expiry / 1000).toString(36)}|${nonce}`;
}

/** @returns nothing for what is no permit. */
export function permitOfText(text: string): Permit | undefined {
  const [expiry, nonce] = text.split('|');
  return expiry === undefined || nonce === undefined ? undefined : { expiry: Number.parseInt(expiry, 36) * 1000, nonce };
}
