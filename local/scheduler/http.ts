import type { HttpReply, HttpRequest } from '../control-plane.ts';
import { HostError, messageOf } from '../errors.ts';
import { arnOf } from '../account.ts';
import type { ScheduleDefinition, StoredSchedule } from './schedule.ts';
import { scheduleArn, type Scheduler } from './scheduler.ts';

/**
 * CreateSchedule, GetSchedule, UpdateSchedule, DeleteSchedule and ListSchedules, undefined for any other path.
 * https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html
 */
export function handleScheduler(request: HttpRequest, scheduler: Scheduler, groups: ReadonlySet<string>): HttpReply | undefined {
  const [, name] = /^\/schedules(?:\/([^/]+))?\/?$/.exec(request.path) ?? [undefined, null];
  if (name === null) return undefined;
  if (name === undefined) return request.method === 'GET' ? list(request, scheduler) : undefined;
  const scheduleName = decodeURIComponent(name);
  try {
    switch (request.method) {
      case 'POST':
      case 'PUT':
        return put(request, scheduler, groups, scheduleName);
      case 'GET':
      case 'DELETE': {
        const group = request.query.get('groupName') ?? 'default';
        const schedule = scheduler.get(group, scheduleName);
        if (schedule === undefined) return missing(group, scheduleName);
        if (request.method === 'GET') return ok(describe(schedule));
        scheduler.delete(group, scheduleName);
        return ok({});
      }
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof HostError || error instanceof SyntaxError) {
      return failure(400, 'ValidationException', messageOf(error));
    }
    throw error;
  }
}

function put(request: HttpRequest, scheduler: Scheduler, groups: ReadonlySet<string>, name: string): HttpReply {
  const body = JSON.parse(request.body.toString('utf8')) as Partial<ScheduleDefinition>;
  const group = body.GroupName ?? 'default';
  if (body.ScheduleExpression === undefined || body.Target?.Arn === undefined) {
    return failure(400, 'ValidationException', 'ScheduleExpression and Target.Arn are required.');
  }
  if (!groups.has(group)) return failure(404, 'ResourceNotFoundException', `Schedule group ${group} does not exist.`);
  const exists = scheduler.get(group, name) !== undefined;
  if (request.method === 'POST' && exists) {
    return failure(409, 'ConflictException', `Schedule ${name} already exists.`);
  }
  if (request.method === 'PUT' && !exists) return missing(group, name);
  scheduler.put({ ...(body as ScheduleDefinition), Name: name, GroupName: group }, false);
  return ok({ ScheduleArn: scheduleArn(group, name) });
}

function list(request: HttpRequest, scheduler: Scheduler): HttpReply {
  const group = request.query.get('ScheduleGroup');
  const prefix = request.query.get('NamePrefix') ?? '';
  const state = request.query.get('State');
  const size = Number(request.query.get('MaxResults') ?? 100);
  const after = request.query.get('NextToken') ?? '';
  const found = scheduler
    .list()
    .filter(({ definition }) => group === null || definition.GroupName === group)
    .filter(({ definition }) => definition.Name.startsWith(prefix))
    .filter(({ definition }) => state === null || (definition.State ?? 'ENABLED') === state)
    .map((schedule) => ({ key: `${schedule.definition.GroupName}/${schedule.definition.Name}`, schedule }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .filter(({ key }) => key > after);
  const page = found.slice(0, size);
  return ok({
    Schedules: page.map(({ schedule }) => {
      const { Arn, Name, GroupName, State, CreationDate, LastModificationDate, Target } = describe(schedule);
      return { Arn, Name, GroupName, State, CreationDate, LastModificationDate, Target: { Arn: Target.Arn } };
    }),
    ...(found.length > page.length ? { NextToken: page.at(-1)?.key } : {}),
  });
}

function describe({ definition, createdAt, modifiedAt }: StoredSchedule) {
  return {
    ScheduleExpressionTimezone: 'UTC',
    State: 'ENABLED',
    ActionAfterCompletion: 'NONE',
    ...definition,
    Arn: scheduleArn(definition.GroupName, definition.Name),
    CreationDate: createdAt / 1000,
    LastModificationDate: modifiedAt / 1000,
  };
}

function missing(group: string, name: string): HttpReply {
  return failure(404, 'ResourceNotFoundException', `Schedule ${arnOf('scheduler', `schedule/${group}/${name}`)} does not exist.`);
}

function ok(body: unknown): HttpReply {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function failure(status: number, type: string, message: string): HttpReply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
    body: JSON.stringify({ Message: message }),
  };
}
