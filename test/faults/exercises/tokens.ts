import type { IssuedToken } from '@sluice/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemRandom, systemTokens } from '../../../adapters/system.ts';
import { tokenIdOf } from '../../../core/auth/token-record.ts';
import type { Stage } from '../world/stage.ts';
import { again } from './again.ts';
import type { Exercise } from './exercise.ts';
import { PUT_TOKEN } from './sites.ts';

const TRIES = 12;
const PAUSE_MS = 500;

/** API tokens: what `api` does with them and what `authorizer` makes of them. */
export const tokens: readonly Exercise[] = [
  {
    name: 'makes, lists and revokes tokens',
    run: async (stage) => {
      const issued = await again(() => stage.client.tokens.create({ scopes: ['read'], name: 'made' }));
      await works(stage, issued);
      await revokeAll(stage, 'made');
    },
  },
  {
    name: 'rotates a token',
    run: async (stage) => {
      const old = await again(() => stage.client.tokens.create({ scopes: ['read'], name: 'old' }));
      const issued = await again(() => stage.client.tokens.rotate(old.id, { graceSeconds: 600 }));
      await works(stage, issued);
      await works(stage, old);
      await revokeAll(stage, 'old');
    },
  },
  {
    name: 'makes room where tokens have expired',
    run: async (stage) => {
      const hash = systemTokens.sha256Hex(systemRandom.nonce());
      const { tenant } = stage;
      await stage.world.tokens.note({
        v: 1,
        hash,
        tenant,
        scopes: ['read'],
        createdAt: Date.now() - 60_000,
        expiresAt: Date.now() - 1_000,
      });
      await again(() => stage.client.tokens.create({ scopes: ['read'], name: 'made' }));
      if (await stage.world.tokens.lookUp(tenant, tokenIdOf(hash))) throw new Error('the expired token is still in the directory');
      await revokeAll(stage, 'made');
    },
  },
  {
    name: 'does not make a token that is revoked meanwhile',
    run: async (stage) => {
      const armed = stage.arm({ ...PUT_TOKEN, kind: 'delay' });
      const made = stage.client.tokens.create({ scopes: ['read'], name: 'made' }).catch((error: unknown) => error);
      await Promise.race([armed.whenFired(), made]);
      for (const { hash, name } of await stage.world.tokens.noted(stage.tenant)) {
        if (name !== 'made') continue;
        stage.names.push(hash);
        await stage.world.tokens.forget(stage.tenant, tokenIdOf(hash));
      }
      const answer = await made;
      if (answer instanceof Error) return;
      // Made after the directory was looked at.
      await works(stage, answer as IssuedToken);
      await revokeAll(stage, 'made');
    },
  },
];

/** What was answered with a token holds: it opens the API, which then says that there is no such task. */
async function works(stage: Stage, { token }: IssuedToken): Promise<void> {
  stage.own(token);
  for (let tries = 1; ; tries++) {
    const { status } = await fetch(`${stage.world.host.url}/v1/tasks/none`, { headers: { authorization: `Bearer ${token}` } });
    if (status === 404) return;
    if (status < 500 || tries === TRIES) throw new Error(`a token that was issued is answered ${status}`);
    await sleep(PAUSE_MS);
  }
}

/** Every token that can work can be found, and is gone when its revocation was answered. */
async function revokeAll(stage: Stage, name: string): Promise<void> {
  const listed = (await stage.client.tokens.list()).filter((token) => token.name === name);
  for (const { id } of listed) await stage.client.tokens.revoke(id);
  const left = (await stage.client.tokens.list()).filter((token) => token.name === name);
  if (left.length > 0) throw new Error(`${left.length} revoked tokens are still listed`);
}
