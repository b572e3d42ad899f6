import { startServerThread, type ServerOptions, type ServerThread } from './server-thread.ts';

/** Starts SQS and S3 (fauxqs) on one port. */
export function startSqsAndS3(options: ServerOptions, onFailure: (error: Error) => void): Promise<ServerThread> {
  return startServerThread('SQS and S3', new URL('./sqs-s3-thread.ts', import.meta.url), options, onFailure);
}
