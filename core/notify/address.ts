import ipaddr from 'ipaddr.js';

/** IPv6 addresses that are routed on the public internet; what is outside is special or not assigned (RFC 4291, IANA). */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Why a webhook must not connect to an address: one that is not public reaches into the operator's network, the function
 * itself (Lambda's runtime API is on its loopback) or the instance's credentials. `undefined` for a public one.
 * Ranges are those of IANA's special-purpose address registries (RFC 6890), as ipaddr.js has them.
 */
export function flawOfAddress(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return `${address} is no IP address`;
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range !== 'unicast') return `${address} is ${range}, not a public address`;
  if (parsed.kind() === 'ipv6' && !(parsed as ipaddr.IPv6).match(GLOBAL_IPV6)) return `${address} is reserved, not a public address`;
  return undefined;
}
