import type { NotifyRules } from '@sluice/contracts';

/** A host that is an address: URL has made dotted decimals of every other way to write one, and IPv6 has brackets. */
const ADDRESS = /^(\d+(\.\d+){3}|\[.*\])$/;
/** Names that stand for the machine itself or its own network (RFC 6761, RFC 6762, RFC 8375; AWS's internal domains). */
const INTERNAL_NAME = /(^|\.)(localhost|local|internal|home\.arpa)\.?$/i;

export type UrlRules = Pick<NotifyRules, 'hosts' | 'ports'>;

/** Whether the operator lets webhooks to this host have any address and port. */
export function isOpenHost(hostname: string, { hosts }: UrlRules): boolean {
  return hosts.includes(hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase());
}

/**
 * Why a webhook must not go to a URL, as far as the URL alone tells; `undefined` when it may. Where a name leads is
 * checked when it is connected to.
 */
export function flawOfUrl(url: string, rules: UrlRules): string | undefined {
  if (!URL.canParse(url)) return 'it is no URL';
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'https:') return 'it is not https';
  if (isOpenHost(hostname, rules)) return undefined;
  const number = port === '' ? 443 : Number(port);
  if (!rules.ports.includes(number)) return `port ${number} is not allowed; allowed are: ${rules.ports.join(', ')}`;
  if (ADDRESS.test(hostname)) return `${hostname} is an address and not a name`;
  return INTERNAL_NAME.test(hostname) ? `${hostname} is not a public name` : undefined;
}
