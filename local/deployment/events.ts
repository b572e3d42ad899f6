import { arnOf } from '../account.ts';
import { textOf, type Json } from '../assembly/template.ts';
import type { EventBuses } from '../events/event-bus.ts';
import { validatePattern } from '../events/pattern.ts';
import type { ScheduleDefinition } from '../scheduler/schedule.ts';
import { scheduleArn, type Scheduler } from '../scheduler/scheduler.ts';
import { attributes, physicalName, unsupported, type ResourceProvider } from './provider.ts';

/** Schedules, schedule groups, event buses and rules. */
export function eventProviders(scheduler: Scheduler, scheduleGroups: Set<string>, buses: EventBuses): Record<string, ResourceProvider> {
  return {
    'AWS::Scheduler::ScheduleGroup': (request) => {
      const name = physicalName(request, request.properties['Name'], 64);
      scheduleGroups.add(name);
      return { ref: name, attribute: attributes({ Arn: arnOf('scheduler', `schedule-group/${name}`) }) };
    },
    'AWS::Scheduler::Schedule': (request) => {
      const { properties } = request;
      const name = physicalName(request, properties['Name'], 64);
      const group = textOf(properties['GroupName'], 'default');
      const target = properties['Target'] as ScheduleDefinition['Target'];
      if (!/^arn:aws:(lambda|sqs|events):us-/.test(target.Arn)) throw unsupported(request, `the target ${target.Arn}`);
      scheduler.put({ ...(properties as unknown as ScheduleDefinition), Name: name, GroupName: group }, true);
      return {
        ref: name,
        attribute: attributes({ Arn: scheduleArn(group, name) }),
        remove: () => void scheduler.delete(group, name),
      };
    },
    'AWS::Events::EventBus': (request) => {
      const name = String(request.properties['Name']);
      buses.putBus(name);
      return {
        ref: name,
        attribute: attributes({ Name: name, Arn: arnOf('events', `event-bus/${name}`) }),
        remove: () => buses.deleteBus(name),
      };
    },
    'AWS::Events::Rule': (request) => {
      const { properties } = request;
      if (properties['ScheduleExpression'] !== undefined) {
        throw unsupported(request, 'ScheduleExpression (use an AWS::Scheduler::Schedule)');
      }
      const name = physicalName(request, properties['Name'], 64);
      const bus = textOf(properties['EventBusName'], 'default').split('/').at(-1) ?? 'default';
      validatePattern(properties['EventPattern'] ?? {}, request.logicalId);
      buses.putRule({
        name,
        bus,
        pattern: properties['EventPattern'] ?? {},
        enabled: properties['State'] !== 'DISABLED',
        targets: ((properties['Targets'] ?? []) as Json[]).map((target) => {
          if (target['InputTransformer'] !== undefined) throw unsupported(request, 'InputTransformer');
          return {
            arn: String(target['Arn']),
            input: target['Input'] as string | undefined,
            inputPath: target['InputPath'] as string | undefined,
            deadLetterArn: (target['DeadLetterConfig'] as Json | undefined)?.['Arn'] as string | undefined,
          };
        }),
      });
      return {
        ref: bus === 'default' ? name : `${bus}|${name}`,
        attribute: attributes({ Arn: arnOf('events', bus === 'default' ? `rule/${name}` : `rule/${bus}/${name}`) }),
        remove: () => buses.deleteRule(bus, name),
      };
    },
  };
}
