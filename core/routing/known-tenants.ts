import type { QuotaStore } from '../ports/quota-store.ts';
import type { RoutingStore } from '../ports/routing-store.ts';
import type { TokenStore } from '../ports/token-store.ts';
import { quotaPages } from '../quotas/quota-pages.ts';

export interface KnownTenantsDeps {
  readonly routes: RoutingStore;
  readonly tokens: Pick<TokenStore, 'tenants'>;
  readonly quotas: Pick<QuotaStore, 'list'>;
}

/** The tenants that have, or had, a token or a quota, or are routed in a way of their own. @throws SluiceError `unavailable` */
export async function knownTenants({ routes, tokens, quotas }: KnownTenantsDeps): Promise<Set<string>> {
  const [document, names] = await Promise.all([routes.read(), tokens.tenants()]);
  const known = new Set(names);
  for (const { tenant } of [...(document?.dedicated ?? []), ...(document?.moved ?? [])]) known.add(tenant);
  for await (const page of quotaPages(quotas)) for (const { tenant } of page) known.add(tenant);
  return known;
}
