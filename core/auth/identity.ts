import { SluiceError, type Scope } from '@sluice/contracts';

/** Who calls: credentials always belong to one tenant. */
export interface Identity {
  readonly tenant: string;
  readonly scopes: readonly Scope[];
}

/** Whether credentials with these scopes may do what needs that one. `admin` includes all that is about its tenant; the others include nothing. */
export function allows(scopes: readonly Scope[], needed: Scope): boolean {
  return scopes.includes(needed) || (needed !== 'platform' && scopes.includes('admin'));
}

/** @throws SluiceError `forbidden`, naming the scope that is missing */
export function requireScope(identity: Identity, needed: Scope): void {
  if (allows(identity.scopes, needed)) return;
  throw new SluiceError(
    'forbidden',
    `this call needs the scope "${needed}"; these credentials of tenant ${identity.tenant} have ${identity.scopes.join(', ')}`,
    { details: { needed, scopes: identity.scopes } },
  );
}
