import { SluiceError } from '@sluice/contracts';
import type { TokenStore } from '../ports/token-store.ts';
import type { Identity } from './identity.ts';

/**
 * The ARN that a principal is registered under. A call with a role's credentials names its session, which changes from
 * call to call, and leaves out the role's path: `arn:aws:sts::1:assumed-role/worker/i-0abc` is
 * `arn:aws:iam::1:role/worker`, whatever path the role has. Users are registered as they are.
 */
export function principalArn(callerArn: string): string {
  const [, partition, account, role] = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\/.+$/.exec(callerArn) ?? [];
  return role === undefined ? callerArn : `arn:${partition}:iam::${account}:role/${role}`;
}

/** The tenant that a SigV4 caller acts for. @throws SluiceError `forbidden` for one that is not registered */
export async function identifyPrincipal(tokens: Pick<TokenStore, 'findPrincipal'>, callerArn: string): Promise<Identity> {
  const arn = principalArn(callerArn);
  const record = await tokens.findPrincipal(arn);
  if (!record) {
    throw new SluiceError('forbidden', `${arn} is registered for no tenant; register it, or call with an API token`, {
      details: { principal: arn },
    });
  }
  return { tenant: record.tenant, scopes: record.scopes };
}
