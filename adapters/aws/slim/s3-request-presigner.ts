import type { S3Client } from './client-s3.ts';
import type { Command } from './service.ts';

/** @param expiresIn seconds */
export function getSignedUrl<I, O>(
  client: S3Client,
  { operation, input }: Command<I, O>,
  { expiresIn }: { expiresIn: number },
): Promise<string> {
  return client.presign(operation.callOf(input), expiresIn);
}
