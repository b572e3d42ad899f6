import { limitMessage, LIMITS, notificationQueueNameSchema, type NotifyRules, tenantSchema } from '@sluice/contracts';
import { Lazy, Stack, Token } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** A queue that ends of tasks may be told to. */
export interface NotificationQueueProps {
  readonly queue: IQueue;
  /**
   * The tenants that may name it. Its messages hold what tasks say, so a queue that one team reads should be open to
   * that team's tenants only.
   * @default - every tenant
   */
  readonly tenants?: readonly string[];
}

/** Where webhooks may go. */
export interface WebhookProps {
  /**
   * Ports of public hosts.
   * @default [443]
   */
  readonly ports?: readonly number[];
  /**
   * Hosts, by name or address, that may have any address and port: private receivers. Tenants choose the URLs, so
   * whatever listens there can be called by every tenant.
   * @default - none: public addresses only
   */
  readonly privateHosts?: readonly string[];
  /**
   * Certificates in PEM of an authority to trust beside the well-known ones, up to 3,000 characters.
   * @default - the well-known ones only
   */
  readonly certificateAuthority?: string;
}

export interface NotificationsProps {
  readonly queues: Readonly<Record<string, IQueue | NotificationQueueProps>>;
  readonly webhooks: WebhookProps;
  /** Those that check what submissions name. */
  readonly checking: readonly LambdaFunction[];
  /** The one that delivers. */
  readonly delivering: LambdaFunction;
}

/** An environment holds 4 KB. */
const CA_LENGTH = 3_000;

/** Whom ends of tasks may be told to, beside the bus: the operator's queues, and the hosts that webhooks may call. */
export class Notifications extends Construct {
  readonly #queues = new Map<string, NotificationQueueProps>();
  readonly #delivering: LambdaFunction;

  constructor(scope: Construct, id: string, { queues, webhooks, checking, delivering }: NotificationsProps) {
    super(scope, id);
    this.#delivering = delivering;
    const { ports = [443], privateHosts = [], certificateAuthority = 'none' } = webhooks;
    for (const port of ports) {
      if (!Number.isInteger(port) || port < 1 || port > 65_535) {
        throw new Error(`TaskPlatform webhooks.ports: whole numbers from 1 to 65535; given ${port}`);
      }
    }
    if (!Token.isUnresolved(certificateAuthority) && certificateAuthority.length > CA_LENGTH) {
      throw new Error(
        `TaskPlatform webhooks.certificateAuthority: at most ${CA_LENGTH} characters, because an environment holds 4 KB; given ${certificateAuthority.length}`,
      );
    }
    for (const [name, queue] of Object.entries(queues)) this.add(name, 'queue' in queue ? queue : { queue });
    const hosts = privateHosts.map((host) => host.toLowerCase());
    // Queues may be added until the template is made.
    const rules = Lazy.uncachedString({ produce: () => Stack.of(this).toJsonString(this.#rules({ ports: [...ports], hosts })) });
    for (const fn of new Set([...checking, delivering])) fn.addEnvironment('SLUICE_NOTIFY', rules);
    delivering.addEnvironment('SLUICE_WEBHOOK_CA', certificateAuthority);
  }

  /** The names of the queues that are declared so far. */
  get names(): readonly string[] {
    return [...this.#queues.keys()];
  }

  /** Declares a queue. @throws for a name that is malformed or taken */
  add(name: string, props: NotificationQueueProps): void {
    const parsed = notificationQueueNameSchema.safeParse(name, { error: limitMessage });
    const flaw = parsed.error?.issues[0]?.message ?? (this.#queues.has(name) ? 'it is declared already' : undefined);
    if (flaw !== undefined) {
      throw new Error(
        `TaskPlatform notificationQueues: ${flaw}; a name is 1 to ${LIMITS.notificationQueueNameLength} lower-case letters, digits and "-"; given ${JSON.stringify(name)}`,
      );
    }
    for (const tenant of props.tenants ?? []) {
      if (tenantSchema.safeParse(tenant).success) continue;
      throw new Error(`TaskPlatform notificationQueues.${name}.tenants: ${JSON.stringify(tenant)} is no name of a tenant`);
    }
    this.#queues.set(name, props);
    this.#grantSend(props.queue);
  }

  #rules(rest: Omit<NotifyRules, 'queues'>): NotifyRules {
    const queues = [...this.#queues].map(([name, { queue, tenants }]) => [
      name,
      { url: queue.queueUrl, ...(tenants && { tenants: [...tenants] }) },
    ]);
    return { queues: Object.fromEntries(queues) as NotifyRules['queues'], ...rest };
  }

  #grantSend({ queueArn, encryptionMasterKey }: IQueue): void {
    this.#delivering.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queueArn] }));
    if (!encryptionMasterKey) return;
    const actions = ['kms:GenerateDataKey', 'kms:Decrypt'];
    this.#delivering.addToRolePolicy(new PolicyStatement({ actions, resources: [encryptionMasterKey.keyArn] }));
  }
}
