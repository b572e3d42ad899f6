import { Alarm, type AlarmProps, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type AlarmId, ALARMS, type Severity } from './constants.ts';

export interface AlarmsProps {
  /** Of the platform, in front of alarm names. */
  readonly name: string;
  readonly runbookUrl: string;
  readonly topics: Readonly<Record<Severity, ITopic | undefined>>;
}

/** One alarm. It is in alarm at the threshold and above. */
export interface AlarmSpec {
  readonly id: AlarmId;
  /** What tells it from others of the same id: part of its name. @default there is one of this id */
  readonly of?: string;
  /** More than its text says, for its description. */
  readonly detail?: string;
  readonly metric: IMetric;
  readonly threshold: number;
  /** Periods that must be at the threshold, and how many are looked at. @default [1, 1] */
  readonly datapoints?: readonly [number, number];
  /** Whether no data is an alarm too. @default false */
  readonly missingIsBad?: boolean;
}

/** All alarms go through here: explicit names, a link into the runbook, and an action by severity. */
export class Alarms extends Construct {
  readonly #props: AlarmsProps;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#props = props;
  }

  add({ id, of, detail, metric, threshold, datapoints: [needed, looked] = [1, 1], missingIsBad = false }: AlarmSpec): Alarm {
    const { name, runbookUrl, topics } = this.#props;
    const { severity, says } = ALARMS[id];
    const full = of === undefined ? id : `${id}-${of}`;
    const props: AlarmProps = {
      alarmName: `${name}-${full}`,
      alarmDescription: [`[${severity}]`, says, detail, `What to do: ${runbookUrl}#${id}`].filter(Boolean).join(' '),
      metric,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: looked,
      datapointsToAlarm: needed,
      treatMissingData: missingIsBad ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    };
    const alarm = new Alarm(this, full, props);
    const topic = topics[severity];
    if (topic) {
      const action = new SnsAction(topic);
      alarm.addAlarmAction(action);
      // Whoever was told that it began wants to know that it is over.
      alarm.addOkAction(action);
    }
    return alarm;
  }
}
