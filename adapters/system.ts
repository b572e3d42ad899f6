import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeTime } from 'ulid';
import type { TokenHash, TokenSecret } from '../core/auth/authenticate.ts';
import type { WebhookSecretSource } from '../core/notify/secrets.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Hasher } from '../core/ports/hasher.ts';
import type { Random } from '../core/ports/random.ts';
import type { Timer } from '../core/ports/timer.ts';

export const systemClock: Clock = { now: () => Date.now() };

export const systemTimer: Timer = { sleep: (milliseconds) => sleep(milliseconds) };

export const systemHasher: Hasher = { sha256: (text) => createHash('sha256').update(text, 'utf8').digest('base64url') };

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Chance from the operating system's cryptographic source. */
export const systemRandom: Random = {
  fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  // 5 of each byte's bits: 16 letters are 80 bits. Monotonic ULIDs would make the next one of a millisecond a guess.
  ulid: (now) => encodeTime(now, 10) + Array.from(randomBytes(16), (byte) => CROCKFORD.charAt(byte & 31)).join(''),
  nonce: () => randomBytes(6).toString('base64url'),
};

/** What API tokens are made and looked up with, and what webhooks are signed with (24 to 64 bytes in Standard Webhooks). */
export const systemTokens: TokenHash & TokenSecret & WebhookSecretSource = {
  sha256Hex: (text) => createHash('sha256').update(text, 'utf8').digest('hex'),
  secret: () => randomBytes(32).toString('base64url'),
  webhookSecret: () => `whsec_${randomBytes(32).toString('base64')}`,
  webhookSecretId: () => `whs_${randomBytes(8).toString('hex')}`,
};
