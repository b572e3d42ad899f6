import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GetObjectCommand, S3Client } from '../../../adapters/aws/slim/client-s3.ts';
import { type Credentials, kept } from '../../../adapters/aws/slim/credentials.ts';
import { endpointOf } from '../../../adapters/aws/slim/endpoint.ts';
import { getSignedUrl } from '../../../adapters/aws/slim/s3-request-presigner.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const MINUTE = 60_000;
const until = (expires: number | undefined): Credentials => ({
  accessKeyId: 'a',
  secretAccessKey: 'b',
  ...(expires !== undefined && { expiration: new Date(expires) }),
});

describe('the endpoint of a service', () => {
  const where = { endpointPrefix: 'sqs', endpointVariable: 'SQS' };

  const SDK = { dynamodb: DynamoDBClient, sqs: SQSClient, events: EventBridgeClient, lambda: LambdaClient };
  const REGIONS = [
    'us-east-1',
    'cn-north-1',
    'us-gov-west-1',
    'us-iso-east-1',
    'us-isob-east-1',
    'eu-isoe-west-1',
    'us-isof-south-1',
    'eusc-de-east-1',
  ];

  it.each(REGIONS)('is the SDK’s in %s', (region) => {
    for (const [endpointPrefix, Client] of Object.entries(SDK)) {
      const { url } = new Client({ region }).config.endpointProvider({ Region: region });
      expect(endpointOf({ endpointPrefix, endpointVariable: 'NONE' }, region, undefined).href).toBe(url.href);
    }
  });

  it('is the one that is given, or that the environment names', () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://all');
    expect(endpointOf(where, 'us-east-1', undefined).host).toBe('all');
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', 'http://sqs:1');
    expect(endpointOf(where, 'us-east-1', undefined).host).toBe('sqs:1');
    expect(endpointOf(where, 'us-east-1', 'http://mine').host).toBe('mine');
    expect(() => endpointOf(where, undefined, 'http://mine')).toThrow('AWS_REGION');
  });

  it('is the bucket’s own in S3, but not for a name that no certificate is for, nor in an emulator', async () => {
    const hostAndPath = async (bucket: string, more: object) => {
      const client = new S3Client({ region: 'eu-west-1', credentials: until(undefined), ...more });
      const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: 'k' }), { expiresIn: 1 });
      const { host, pathname } = new URL(url);
      return host + pathname;
    };
    expect(await hostAndPath('b', {})).toBe('b.s3.eu-west-1.amazonaws.com/k');
    expect(await hostAndPath('b.c', {})).toBe('s3.eu-west-1.amazonaws.com/b.c/k');
    expect(await hostAndPath('b', { endpoint: 'http://emulator/base/' })).toBe('emulator/base/b/k');
  });
});

describe('credentials', () => {
  it('without an end are asked for once, however many calls want them', async () => {
    const read = vi.fn(async () => until(undefined));
    const get = kept(read);
    await Promise.all([get(), get(), get()]);
    await get();
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('are asked for anew before they end, while the old ones serve on', async () => {
    let now = 0;
    const old = until(10 * MINUTE);
    const fresh = until(60 * MINUTE);
    const read = vi
      .fn<() => Promise<Credentials>>()
      .mockResolvedValueOnce(old)
      .mockRejectedValueOnce(new Error('busy'))
      .mockResolvedValue(fresh);
    const get = kept(read, () => now);
    await get();
    now = 6 * MINUTE;
    expect(await get()).toBe(old);
    expect(await get()).toBe(old);
    await expect.poll(get).toBe(fresh);
    expect(read).toHaveBeenCalledTimes(3);
  });

  it('that have ended serve no more', async () => {
    let now = 0;
    const read = vi
      .fn<() => Promise<Credentials>>()
      .mockResolvedValueOnce(until(10 * MINUTE))
      .mockRejectedValue(new Error('busy'));
    const get = kept(read, () => now);
    await get();
    now = 11 * MINUTE;
    await expect(get()).rejects.toThrow('busy');
  });
});
