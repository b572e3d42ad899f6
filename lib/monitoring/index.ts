import { type FunctionName, PRIORITIES } from '@sluice/contracts';
import { Annotations, Aws, Duration, Stack } from 'aws-cdk-lib';
import { Dashboard, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { outcomesDeadName } from '../outcomes/constants.ts';
import { hintsDeadName, shardQueueName } from '../pool/constants.ts';
import { Alarms } from './alarms.ts';
import { MAX_ROWS, MAX_TYPES, RUNBOOK } from './constants.ts';
import { platformMetric } from './metrics.ts';
import { addPlatformAlarms, type Watched } from './platform-alarms.ts';
import { overviewOf } from './overview.ts';
import { rowOf } from './rows.ts';

/** How the platform tells its operators. */
export interface MonitoringOptions {
  /**
   * Where critical alarms go when they begin and when they end: somebody must look now. Its policy must allow
   * `cloudwatch.amazonaws.com` to publish if it has one of its own; a topic of the same app is a reference between
   * stacks, one by `Topic.fromTopicArn` is not.
   * @default - nowhere: they are seen on the dashboard alone
   */
  readonly criticalTopic?: ITopic;
  /**
   * Where warnings go: somebody must look today.
   * @default - nowhere: they are seen on the dashboard alone
   */
  readonly warningTopic?: ITopic;
  /**
   * Where the runbook is, without `#` and what follows it; every alarm names its section there.
   * @default 'docs/runbook.md', as it is in the platform's repository
   */
  readonly runbookUrl?: string;
}

export interface MonitoringProps extends MonitoringOptions {
  /** Of the platform. */
  readonly name: string;
  readonly shards: number;
  readonly functions: readonly FunctionName[];
}

/** What monitoring wants to know of a task type. */
export interface MonitoredType {
  readonly type: string;
  /** Age of the oldest task in the backlog at which the type's alarm begins. */
  readonly ageObjective: Duration;
  readonly concurrency: number;
}

/**
 * A dashboard and alarms, in a stack of their own. It names what it watches by physical names, so that neither stack
 * holds the other; it is deployed after the platform's, or the tick would be missed from the beginning.
 */
export class Monitoring extends Stack {
  readonly dashboard: Dashboard;
  readonly #platform: string;
  readonly #alarms: Alarms;
  #types = 0;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    const home = Stack.of(scope);
    super(scope, id, {
      stackName: `${props.name}-monitoring`,
      description: `Sluice ${props.name}: dashboard and alarms`,
      env: { account: home.account, region: home.region },
    });
    this.addStackDependency(home);
    this.#platform = props.name;
    const runbookUrl = props.runbookUrl ?? RUNBOOK;
    this.#alarms = new Alarms(this, 'Alarms', {
      name: props.name,
      runbookUrl,
      topics: { critical: props.criticalTopic, warning: props.warningTopic },
    });
    const watched = watchedOf(props);
    this.dashboard = new Dashboard(this, 'Dashboard', {
      // Dashboards are of the account, in all regions together.
      dashboardName: `${props.name}-${Aws.REGION}`,
      defaultInterval: Duration.hours(3),
      widgets: overviewOf(watched, addPlatformAlarms(this.#alarms, watched), runbookUrl),
    });
  }

  /** Adds the row and the alarms of a task type, which `TaskType` does for you. */
  addTaskType({ type, ageObjective, concurrency }: MonitoredType): void {
    this.#types += 1;
    if (this.#types > MAX_TYPES) return this.#warnOnce(MAX_TYPES, 'alarms', 'make alarms for the others from TaskType.metric');
    const alarms = [
      this.#alarms.add({
        id: 'oldest-age',
        of: type,
        detail: `Type ${type}: no more than ${ageObjective.toSeconds()} s.`,
        metric: platformMetric(this.#platform, 'backlog.age', { type, period: Duration.minutes(5) }),
        threshold: ageObjective.toSeconds(),
      }),
      this.#alarms.add({
        id: 'dead-letters',
        of: type,
        detail: `Type ${type}.`,
        metric: platformMetric(this.#platform, 'task.failed', { type, period: Duration.minutes(5) }),
        threshold: 1,
      }),
    ];
    if (this.#types > MAX_ROWS) return this.#warnOnce(MAX_ROWS, 'rows', 'the others are in the graphs of all types');
    for (const line of rowOf(this.#platform, { type, ageObjective, concurrency, alarms })) this.dashboard.addWidgets(...line);
  }

  #warnOnce(most: number, what: string, instead: string): void {
    if (this.#types !== most + 1) return;
    const text = `only the first ${most} task types have ${what} of their own; ${instead}`;
    Annotations.of(this).addWarningV2(`sluice:monitoring-${what}`, `Monitoring ${this.node.path}: ${text}`);
    this.dashboard.addWidgets(new TextWidget({ width: 24, height: 2, markdown: `**${text}**` }));
  }
}

function watchedOf({ name, shards, functions }: MonitoringProps): Watched {
  const numbers = Array.from({ length: shards }, (_, shard) => shard);
  return {
    name,
    functions,
    shardQueues: PRIORITIES.flatMap((priority) => numbers.map((shard) => shardQueueName(name, priority, shard))),
    hintsDead: hintsDeadName(name),
    outcomesDead: outcomesDeadName(name),
  };
}
