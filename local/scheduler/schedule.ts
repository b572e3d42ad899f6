/** A schedule as the API and the templates write it: https://docs.aws.amazon.com/scheduler/latest/APIReference/ */
export interface ScheduleDefinition {
  Name: string;
  GroupName: string;
  ScheduleExpression: string;
  /** @default 'UTC' */
  ScheduleExpressionTimezone?: string;
  /** Seconds since the epoch in the API, ISO text in templates. */
  StartDate?: number | string;
  EndDate?: number | string;
  Description?: string;
  /** @default 'ENABLED' */
  State?: 'ENABLED' | 'DISABLED';
  /** @default 'NONE' */
  ActionAfterCompletion?: 'NONE' | 'DELETE';
  /** Accepted and ignored: the host fires on time. */
  FlexibleTimeWindow?: { Mode: string; MaximumWindowInMinutes?: number };
  Target: ScheduleTarget;
  KmsKeyArn?: string;
}

export interface ScheduleTarget {
  Arn: string;
  RoleArn?: string;
  Input?: string;
  DeadLetterConfig?: { Arn?: string };
  RetryPolicy?: { MaximumRetryAttempts?: number; MaximumEventAgeInSeconds?: number };
  SqsParameters?: { MessageGroupId?: string };
  EventBridgeParameters?: { DetailType: string; Source: string };
}

/** A schedule with what the host keeps of it. */
export interface StoredSchedule {
  definition: ScheduleDefinition;
  /** Milliseconds since the epoch. */
  createdAt: number;
  modifiedAt: number;
  /** The last time that it was due and fired, in milliseconds; it never fires for the same time again. */
  firedFor: number;
  /** Times that were due and whose target does not have them yet, in milliseconds. */
  pending?: number[];
  /** Templates' rates count from the full minute, others from their creation. */
  fromTemplate: boolean;
}

/** A date of the API or of a template, in milliseconds. */
export function dateOf(value: number | string | undefined): number | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'number' ? value * 1000 : Date.parse(value);
}
