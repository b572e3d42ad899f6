import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type IScheduleTarget, Schedule as CronSchedule, ScheduleExpression, ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { Functions } from '../functions/index.ts';

export interface ScheduleProps {
  readonly name: string;
  readonly functions: Functions;
}

/** The clock: a tick for timers and for control every minute, and one a day for the audit. */
export class Schedule extends Construct {
  readonly group: ScheduleGroup;
  readonly #role: Role;

  constructor(scope: Construct, id: string, props: ScheduleProps) {
    super(scope, id);
    this.group = new ScheduleGroup(this, 'Group', {
      scheduleGroupName: props.name,
      // CDK would keep it; one that outlived its stack would block the name for the next deployment.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.#role = new Role(this, 'Role', {
      // Only schedules of this account may use it (the confused deputy).
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    const { timers, control, audit } = props.functions;
    this.#every('Minute', Duration.minutes(1), timers, 'Moves what is due soon to its queues');
    this.#every('Control', Duration.minutes(1), control, 'Divides capacities among the lanes that work');
    this.#every('Day', Duration.days(1), audit, 'Looks for tasks that nobody has looked at');
  }

  #every(id: string, period: Duration, fn: LambdaFunction, description: string): void {
    this.#role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [fn.functionArn] }));
    const schedule = new CronSchedule(this, id, {
      schedule: ScheduleExpression.rate(period),
      scheduleGroup: this.group,
      target: this.#target(fn, period),
      description,
    });
    // It names its group without a reference, and a first tick before the role's policy would be refused.
    schedule.node.addDependency(this.group, this.#role);
  }

  /** CDK's own Lambda target grants every version and alias too; one ARN is enough. */
  #target(fn: LambdaFunction, period: Duration): IScheduleTarget {
    return {
      bind: () => ({
        arn: fn.functionArn,
        role: this.#role,
        // A tick that could not be delivered within half its period is left to the next one.
        retryPolicy: {
          maximumEventAgeInSeconds: Math.max(60, period.toSeconds() / 2),
          maximumRetryAttempts: 3,
        },
      }),
    };
  }
}
