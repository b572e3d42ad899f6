import { ENV_SCHEMAS, type FunctionName, type MetricName } from '@sluice/contracts';
import { Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct, type IConstruct } from 'constructs';
import { admissionRules, type AdmissionProps } from './admission.ts';
import type { CorsProps } from './api/cors.ts';
import { Api } from './api/index.ts';
import { Control } from './control/index.ts';
import { Events } from './events/index.ts';
import { Functions } from './functions/index.ts';
import { Monitoring, type MonitoringOptions } from './monitoring/index.ts';
import { type PlatformMetricOptions, platformMetric } from './monitoring/metrics.ts';
import { Outcomes } from './outcomes/index.ts';
import { type NotificationQueueProps, Notifications, type WebhookProps } from './notifications/index.ts';
import { MAX_SHARDS } from './pool/constants.ts';
import { cleanUpDedicated, type DedicatedQueuesProps } from './pool/dedicated.ts';
import { Pool } from './pool/index.ts';
import { Schedule } from './schedule/index.ts';
import { Storage } from './storage/index.ts';
import { System } from './system/index.ts';

export interface TaskPlatformProps {
  /**
   * Prefix of the physical names of queues, functions, log groups, and the name of the bus, the API and the schedule
   * group: one platform of a name in an account and region. 1 to 32 lower-case letters, digits and `-`.
   * @default 'sluice'
   */
  readonly name?: string;
  /**
   * Shard queues of each priority, 1 to 64. More shards separate tenants better; an idle queue costs about $0.20 a
   * month. To lower it later moves tenants and deletes queues with their messages, which the audit then finds.
   * @default 8
   */
  readonly shards?: number;
  /**
   * Shard queues of each priority that one tenant's work is spread over, 1 to `shards`.
   * @default 2
   */
  readonly shardsPerTenant?: number;
  /**
   * Whether the table has the index that lists a tenant's tasks by day; it costs one write unit a task.
   * @default true
   */
  readonly listIndex?: boolean;
  /**
   * Whether DynamoDB refuses to delete the table, whoever asks.
   * @default true, but false if `removalPolicy` is DESTROY, which it would defeat
   */
  readonly deletionProtection?: boolean;
  /**
   * What becomes of the table and the bucket when the stack is deleted. With DESTROY CloudFormation still refuses to
   * delete a bucket that is not empty.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * How long log events are kept.
   * @default RetentionDays.ONE_MONTH
   */
  readonly logRetention?: RetentionDays;
  /**
   * How callers prove who they are: `token` = API tokens of the platform, `iam` = SigV4, the role mapped to a tenant.
   * @default 'token'
   */
  readonly auth?: 'token' | 'iam';
  /**
   * How long the gateway remembers what a token may do, and so how long a revoked one still works; 0 to 3,600 s.
   * @default Duration.seconds(60)
   */
  readonly tokenCacheTtl?: Duration;
  /**
   * The architecture of the functions.
   * @default Architecture.ARM_64, which costs a fifth less
   */
  readonly architecture?: Architecture;
  /**
   * Invocations of dispatch at once for each shard queue, 2 to 1,000.
   * @default - bounded only by the account's concurrency
   */
  readonly maxConcurrency?: number;
  /**
   * Queues that are made at run time for tenants which keep the shared ones busy; see docs/shards.md.
   * @default - for up to 10 tenants at once
   */
  readonly dedicatedQueues?: DedicatedQueuesProps;
  /**
   * Requests a second that the API takes from all callers together. The default is half of an account's quota.
   * @default 5000
   */
  readonly requestsPerSecond?: number;
  /**
   * Requests that may come at once beyond the rate. The default is half of an account's quota.
   * @default 2500
   */
  readonly requestBurst?: number;
  /**
   * What a tenant may submit whose quota says nothing else: rate, backlog, age. See docs/admission.md.
   * @default - no bounds; tenants are refused only while they press the whole platform
   */
  readonly admission?: AdmissionProps;
  /**
   * Whether the gateway logs a line for every request.
   * @default false, as it costs more than the request
   */
  readonly accessLog?: boolean;
  /**
   * Lets pages of other origins call the API from a browser.
   * @default - no CORS headers: only servers, and pages of the API's own origin
   */
  readonly cors?: CorsProps;
  /**
   * The dashboard and the alarms, in a stack of their own named `<name>-monitoring`; `false` makes none. About $12 a
   * month with the default shards, and $0.20 for each task type; docs/runbook.md says what each alarm means.
   * @default - on, with no topics: alarms are seen on the dashboard alone
   */
  readonly monitoring?: false | MonitoringOptions;
  /**
   * Queues that ends of tasks may be told to, by the names that tenants give them.
   * @default - none; see also {@link TaskPlatform.addNotificationQueue}
   */
  readonly notificationQueues?: Readonly<Record<string, IQueue | NotificationQueueProps>>;
  /**
   * Where webhooks may go.
   * @default - to port 443 of hosts with public addresses
   */
  readonly webhooks?: WebhookProps;
}

/**
 * A multi-tenant task platform in the account of its stack: HTTP API, table, payload bucket, shard queues, schedules
 * and functions. Add a `TaskType` for each kind of work.
 */
export class TaskPlatform extends Construct {
  /** Prefix of physical names. */
  readonly name: string;
  readonly architecture: Architecture;
  readonly logRetention: RetentionDays;
  readonly storage: Storage;
  readonly events: Events;
  readonly pool: Pool;
  readonly outcomes: Outcomes;
  readonly control: Control;
  readonly functions: Functions;
  readonly schedule: Schedule;
  readonly api: Api;
  /** The stack of the dashboard and the alarms, where there is one. */
  readonly monitoring: Monitoring | undefined;
  /** Whom ends of tasks may be told to. */
  readonly notifications: Notifications;
  readonly #taskTypes = new Map<string, IConstruct>();
  readonly #resources = new Map<string, IConstruct>();

  constructor(scope: Construct, id: string, props: TaskPlatformProps = {}) {
    super(scope, id);
    const name = props.name ?? 'sluice';
    const shards = props.shards ?? 8;
    const shardsPerTenant = props.shardsPerTenant ?? Math.min(2, shards);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const tokenCacheTtl = props.tokenCacheTtl ?? Duration.seconds(60);
    const { requestsPerSecond = 5_000, requestBurst = 2_500 } = props;
    checkName(name);
    // How many queues there are must be known at synth time; the others may be parameters of the stack.
    checkWhole('shards', shards, 1, MAX_SHARDS);
    checkWhole('shardsPerTenant', shardsPerTenant, 1, shards);
    checkUnlessToken('requestsPerSecond', requestsPerSecond, 1, 1_000_000);
    checkUnlessToken('requestBurst', requestBurst, 1, 1_000_000);
    checkUnlessToken('maxConcurrency', props.maxConcurrency ?? 2, 2, 1_000);
    checkUnlessToken('tokenCacheTtl', tokenCacheTtl.toSeconds(), 0, 3_600, ' seconds');

    this.name = name;
    this.architecture = props.architecture ?? Architecture.ARM_64;
    this.logRetention = props.logRetention ?? RetentionDays.ONE_MONTH;
    this.storage = new Storage(this, 'Storage', {
      listIndex: props.listIndex ?? true,
      deletionProtection: props.deletionProtection ?? removalPolicy !== RemovalPolicy.DESTROY,
      removalPolicy,
    });
    this.events = new Events(this, 'Events', { name });
    this.pool = new Pool(this, 'Pool', {
      name,
      shards,
      shardsPerTenant,
      maxConcurrency: props.maxConcurrency,
      dedicated: props.dedicatedQueues,
    });
    this.outcomes = new Outcomes(this, 'Outcomes', { name });
    this.control = new Control(this, 'Control', { name });
    this.functions = new Functions(this, 'Functions', {
      name,
      storage: this.storage,
      events: this.events,
      pool: this.pool,
      outcomes: this.outcomes,
      control: this.control,
      admission: admissionRules(props.admission ?? {}),
      architecture: this.architecture,
      logRetention: this.logRetention,
      tokens: (props.auth ?? 'token') === 'token',
    });
    this.pool.feed(this.functions.dispatch);
    this.outcomes.feed(this.functions.settle);
    this.control.feed(this.functions.control);
    this.notifications = new Notifications(this, 'Notifications', {
      queues: props.notificationQueues ?? {},
      webhooks: props.webhooks ?? {},
      checking: [this.functions.submit, this.functions.api],
      delivering: this.functions.system,
    });
    this.schedule = new Schedule(this, 'Schedule', { name, functions: this.functions });
    this.schedule.node.addDependency(cleanUpDedicated(this, this.functions.control));
    this.api = new Api(this, 'Api', {
      name,
      functions: this.functions,
      tokenCacheTtl,
      requestsPerSecond,
      requestBurst,
      accessLog: props.accessLog ?? false,
      logRetention: this.logRetention,
      cors: props.cors,
    });
    // Attempts ask it whether they shall go on. The API knows nothing of dispatch, so that this is no circle.
    this.functions.dispatch.addEnvironment('SLUICE_API_URL', this.api.url);
    new System(this, 'System', this);
    this.monitoring = this.#makeMonitoring(props.monitoring ?? {}, shards);
  }

  /**
   * A metric of the platform, for alarms and graphs of one's own: its sum or maximum over a minute if nothing else is
   * asked for. Names and meanings are the contracts' `METRICS`.
   */
  metric(name: MetricName, options?: PlatformMetricOptions): Metric {
    return platformMetric(this.name, name, options);
  }

  /** Declares a queue that ends of tasks may be told to, under the name that tenants give it. @throws for a name that is malformed or taken */
  addNotificationQueue(name: string, queue: IQueue | NotificationQueueProps): void {
    this.notifications.add(name, 'queue' in queue ? queue : { queue });
  }

  /** Notes the name of a task type, which `TaskType` does for you. @throws if another construct has it already */
  addTaskType(type: string, owner: IConstruct): void {
    const other = this.#taskTypes.get(type);
    if (other) throw new Error(`TaskType ${owner.node.path}: ${other.node.path} has the type "${type}" already`);
    this.#taskTypes.set(type, owner);
  }

  /** The names of the resources that are declared so far. */
  get resources(): readonly string[] {
    return [...this.#resources.keys()].sort();
  }

  /** Notes the name of a resource, which `Resource` does for you. @throws if another construct has it already */
  addResource(name: string, owner: IConstruct): void {
    const other = this.#resources.get(name);
    if (other) throw new Error(`Resource ${owner.node.path}: ${other.node.path} has the name "${name}" already`);
    this.#resources.set(name, owner);
  }

  #makeMonitoring(options: false | MonitoringOptions, shards: number): Monitoring | undefined {
    if (options === false) return undefined;
    const absent: readonly FunctionName[] = this.functions.authorizer ? ['registrar'] : ['registrar', 'authorizer'];
    const functions = (Object.keys(ENV_SCHEMAS) as FunctionName[]).filter((fn) => !absent.includes(fn));
    return new Monitoring(this, 'Monitoring', { ...options, name: this.name, shards, functions });
  }
}

/** The name is part of patterns in policies and of queue URLs, so it must be known at synth time. */
function checkName(name: string): void {
  if (Token.isUnresolved(name) || !/^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) {
    throw new Error(
      `TaskPlatform name: 1 to 32 lower-case letters, digits and "-", beginning with a letter and not ending with "-"; given ${Token.isUnresolved(name) ? 'a value that is known only at deploy time' : JSON.stringify(name)}`,
    );
  }
}

function checkWhole(prop: string, value: number, min: number, max: number, unit = ''): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    const given = Token.isUnresolved(value) ? 'a value that is known only at deploy time' : `${value}${unit}`;
    throw new Error(`TaskPlatform ${prop}: a whole number from ${min} to ${max}${unit}; given ${given}`);
  }
}

function checkUnlessToken(...[prop, value, min, max, unit]: Parameters<typeof checkWhole>): void {
  if (!Token.isUnresolved(value)) checkWhole(prop, value, min, max, unit);
}
