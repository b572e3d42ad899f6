import { createHash } from 'node:crypto';

/** The one account and region of the host; fauxqs has the account fixed. */
export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';
export const PARTITION = 'aws';

/** An ARN in the host's account and region. */
export function arnOf(service: string, resource: string): string {
  return `arn:${PARTITION}:${service}:${REGION}:${ACCOUNT}:${resource}`;
}

export interface ParsedArn {
  service: string;
  /** Everything after the account, with its colons. */
  resource: string;
}

/** The service and resource of an ARN, undefined for anything else. */
export function parseArn(text: string): ParsedArn | undefined {
  const parts = text.split(':');
  if (parts[0] !== 'arn' || parts.length < 6) return undefined;
  return { service: parts[2] ?? '', resource: parts.slice(5).join(':') };
}

/** A short stable digest, so that names stay the same from one start to the next and kept data is found again. */
export function digest(text: string, length = 8): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

/** Fake credentials and region: nothing on the host checks signatures, but the SDKs refuse to send without. */
export function accountEnvironment(): Record<string, string> {
  return {
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
