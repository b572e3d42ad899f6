import type { Certificate } from '../helpers/certificate.ts';

/** A running platform, as data: what a test process needs to know of it. */
export interface Deployment {
  /** `embedded`, `ministack`, … */
  readonly name: string;
  /** The API's base URL. */
  readonly url: string;
  /** Outputs of its stack. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly endpoints: {
    readonly dynamodb: string;
    readonly sqs: string;
    readonly s3: string;
    readonly lambda: string;
    readonly eventbridge: string;
  };
  /** Port on 127.0.0.1 at which `send-email` expects a mail server; the suite starts it there. */
  readonly smtpPort: number;
  /** Port on 127.0.0.1 at which `slow-report` expects its service; likewise. */
  readonly reportsPort: number;
  /** Of receivers of webhooks on 127.0.0.1: the platform trusts it, and may call them. */
  readonly certificate: Certificate;
  /** Titles of tests that this target cannot pass, each with the reason. */
  readonly skip: Readonly<Record<string, string>>;
}

declare module 'vitest' {
  interface ProvidedContext {
    deployment: Deployment;
  }
}
