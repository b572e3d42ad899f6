/** Where regions of other partitions than `aws` have their endpoints, by the beginning of their names. */
const SUFFIXES: readonly (readonly [string, string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['eusc-', 'amazonaws.eu'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
  ['us-isof-', 'csp.hci.ic.gov'],
];

/**
 * @param endpoint in place of those that the environment names, and of the region's own
 * @throws without a region, as every call is signed for one
 */
export function endpointOf(
  service: { readonly endpointPrefix: string; readonly endpointVariable: string },
  region: string | undefined,
  endpoint: string | undefined,
): URL {
  if (!region) throw new Error('the AWS region is missing: set AWS_REGION');
  const given = customEndpoint(service.endpointVariable, endpoint);
  if (given !== undefined) return new URL(given);
  const suffix = SUFFIXES.find(([beginning]) => region.startsWith(beginning))?.[1] ?? 'amazonaws.com';
  return new URL(`https://${service.endpointPrefix}.${region}.${suffix}`);
}

export function customEndpoint(service: string, endpoint: string | undefined): string | undefined {
  return endpoint ?? process.env[`AWS_ENDPOINT_URL_${service}`] ?? process.env['AWS_ENDPOINT_URL'];
}
