import { PRIORITIES, type FunctionName, type MetricName } from '@sluice/contracts';
import {
  type Alarm,
  AlarmStatusWidget,
  GraphWidget,
  type GraphWidgetProps,
  type IMetric,
  type IWidget,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { combined, eachType, functionMetric, MINUTE, platformMetric, queueMetric } from './metrics.ts';
import type { Watched } from './platform-alarms.ts';

const THIRD = { width: 8, height: 6, period: MINUTE, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } };
const WHOLE = { width: 24, height: 3 };

/** The head of the dashboard: the platform's own alarms, all types in one graph each, and what the platform is made of. */
export function overviewOf(watched: Watched, alarms: readonly Alarm[], runbookUrl: string): IWidget[][] {
  const { name } = watched;
  const graph = (title: string, props: GraphWidgetProps) => new GraphWidget({ ...THIRD, ...props, title });
  const of = (...names: readonly MetricName[]): IMetric[] => names.map((each) => platformMetric(name, each));
  const types = (title: string, metric: MetricName) => graph(title, { left: [eachType(name, metric)] });
  return [
    [
      new TextWidget({
        ...WHOLE,
        markdown: `# Sluice ${name}\nWhat each alarm means and what to do: ${runbookUrl}. First every type together and the platform itself, then a row for each task type. Tenants are fields of log lines, never of metrics.`,
      }),
    ],
    [new AlarmStatusWidget({ ...WHOLE, title: 'The platform', alarms: [...alarms] })],
    [
      types('All types: backlog', 'backlog.size'),
      types('All types: oldest age, s', 'backlog.age'),
      types('All types: dead letters', 'task.failed'),
    ],
    [
      types('All types: accepted', 'submit.accepted'),
      types('All types: succeeded', 'task.succeeded'),
      types('All types: use of the busiest lane, %', 'lane.use'),
    ],
    [
      graph('Minute tick', { left: of('tick.late'), right: of('bucket.moved', 'lanes.waiting', 'hint.revived') }),
      functions(graph, watched, 'Errors'),
      functions(graph, watched, 'Throttles'),
    ],
    [
      functions(graph, watched, 'Duration', Stats.percentile(99)),
      functions(graph, watched, 'ConcurrentExecutions', Stats.MAXIMUM),
      graph('Failures inside functions', {
        left: of(
          'submit.failed',
          'api.internal_error',
          'dispatch.failed',
          'drain.failed',
          'settle.failed',
          'hint.unreadable',
          'outcome.unreadable',
        ),
        right: of('authorizer.refused', 'type.missing', 'start.missing', 'audit.found'),
      }),
    ],
    [
      shards(graph, watched, 'Shard queues: messages visible', 'SUM', 'ApproximateNumberOfMessagesVisible'),
      shards(graph, watched, 'Shard queues: oldest message, s', 'MAX', 'ApproximateAgeOfOldestMessage'),
      shards(graph, watched, 'Shard queues: most in flight', 'MAX', 'ApproximateNumberOfMessagesNotVisible'),
    ],
    [
      deadLetters(graph, watched, 'Dead letters of queues: messages', 'ApproximateNumberOfMessagesVisible'),
      deadLetters(graph, watched, 'Dead letters of queues: oldest, s', 'ApproximateAgeOfOldestMessage'),
    ],
  ];
}

type Graph = (title: string, props: GraphWidgetProps) => GraphWidget;

function functions(graph: Graph, { name, functions: all }: Watched, metricName: string, statistic?: string): GraphWidget {
  const left = all.map((fn: FunctionName) => functionMetric(name, fn, metricName, statistic));
  return graph(`Functions: ${metricName}${metricName === 'Duration' ? ' p99, ms' : ''}`, { left });
}

/** A line for each class of priority. */
function shards(graph: Graph, { name, shardQueues }: Watched, title: string, how: 'SUM' | 'MAX', metricName: string): GraphWidget {
  const left = PRIORITIES.map((priority) => {
    const own = shardQueues.filter((queue) => queue.startsWith(`${name}-${priority}-`));
    return combined(
      how,
      own.map((queue) => queueMetric(queue, metricName)),
      { label: priority, id: priority },
    );
  });
  return graph(title, { left });
}

function deadLetters(graph: Graph, { hintsDead, outcomesDead }: Watched, title: string, metricName: string): GraphWidget {
  return graph(title, { left: [hintsDead, outcomesDead].map((queue) => queueMetric(queue, metricName)) });
}
