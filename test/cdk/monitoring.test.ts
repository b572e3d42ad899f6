import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS, type MetricName } from '@sluice/contracts';
import { Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { beforeAll, describe, expect, it } from 'vitest';
import { TaskType, type TaskTypeProps } from '../../lib/index.ts';
import { ALARMS, MAX_ROWS, MAX_TYPES } from '../../lib/monitoring/constants.ts';
import { type Deployment, makePlatform, type Resource, resourcesOf, ROOT } from './synth.ts';

const RUNBOOK = readFileSync(join(ROOT, 'docs', 'runbook.md'), 'utf8');
const SECTIONS = [...RUNBOOK.matchAll(/^### (.+)$/gm)].map(([, heading = '']) => heading);

interface Widget {
  readonly type: string;
  readonly y: number;
  readonly properties: { readonly title?: string; readonly metrics?: unknown[][]; readonly markdown?: string };
}
interface AlarmProperties {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly AlarmActions?: unknown;
  readonly OKActions?: unknown;
  readonly TreatMissingData: string;
  readonly Threshold: number;
  readonly MetricName?: string;
  readonly Metrics?: { readonly MetricStat?: { readonly Metric: StatMetric }; readonly Expression?: string }[];
}
interface StatMetric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: { readonly Name: string; readonly Value: unknown }[];
}

function addType(deployment: Deployment, type: string, props: Partial<TaskTypeProps> = {}, stack: Stack = deployment.stack): TaskType {
  const handler = new LambdaFunction(stack, `Fn-${type}`, {
    code: Code.fromInline('exports.handler = async () => 1'),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
  });
  return new TaskType(stack, type, { platform: deployment.platform, handler, ...props });
}

function templateOf({ platform }: Deployment): Template {
  if (!platform.monitoring) throw new Error('there is no monitoring');
  return Template.fromStack(platform.monitoring);
}

function alarmsOf(template: Template): AlarmProperties[] {
  return (Object.values(template.findResources('AWS::CloudWatch::Alarm')) as { Properties: AlarmProperties }[]).map((r) => r.Properties);
}

function alarmNamed(template: Template, name: string): AlarmProperties {
  const found = alarmsOf(template).find(({ AlarmName }) => AlarmName === name);
  if (!found) throw new Error(`no alarm ${name}`);
  return found;
}

function widgetsOf(template: Template): Widget[] {
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard')) as Resource[];
  const body = dashboard?.Properties['DashboardBody'] as { 'Fn::Join': [string, unknown[]] };
  const text = body['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : 'token')).join('');
  return (JSON.parse(text) as { widgets: Widget[] }).widgets;
}

/** The metrics that one alarm watches. */
function watchedBy(alarm: AlarmProperties): StatMetric[] {
  if (alarm.MetricName !== undefined) return [alarm as unknown as StatMetric];
  return (alarm.Metrics ?? []).flatMap(({ MetricStat }) => MetricStat?.Metric ?? []);
}

/** `oldest-age` of `sluice-oldest-age-thumbnail`. */
function sectionOf({ AlarmDescription }: AlarmProperties): string {
  return /#([a-z-]+)$/.exec(AlarmDescription)?.[1] ?? '';
}

describe('the monitoring of a platform with two types', () => {
  let deployment: Deployment;
  let template: Template;
  let alarms: AlarmProperties[];
  let widgets: Widget[];
  beforeAll(() => {
    deployment = makePlatform();
    addType(deployment, 'thumbnail', { ageObjective: Duration.minutes(5), concurrency: 7 });
    addType(deployment, 'mail');
    template = templateOf(deployment);
    alarms = alarmsOf(template);
    widgets = widgetsOf(template);
  });

  it('is a stack of its own after the platform, of one dashboard and alarms, which exports and imports nothing', () => {
    expect(deployment.platform.monitoring?.stackName).toBe('sluice-monitoring');
    expect(deployment.platform.monitoring?.dependencies).toEqual([deployment.stack]);
    const { Resources: resources, Outputs: outputs, Parameters: parameters } = template.toJSON() as Record<string, object>;
    expect(new Set(Object.values(resources ?? {}).map((r: Resource) => r.Type))).toEqual(
      new Set(['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard']),
    );
    expect([outputs, Object.keys(parameters ?? {})]).toEqual([undefined, ['BootstrapVersion']]);
    expect(JSON.stringify(template.toJSON())).not.toContain('Fn::ImportValue');
    expect(Object.keys((Template.fromStack(deployment.stack).toJSON() as { Outputs?: object }).Outputs ?? {})).toEqual([]);
  });

  it('has a section of the runbook for each alarm, linked, and an alarm for each section', () => {
    expect(new Set(alarms.map(sectionOf))).toEqual(new Set(SECTIONS));
    expect(new Set(SECTIONS)).toEqual(new Set(Object.keys(ALARMS)));
    expect(SECTIONS).toHaveLength(new Set(SECTIONS).size);
    for (const alarm of alarms) {
      expect(alarm.AlarmDescription).toMatch(/^\[(critical|warning)\] .+ What to do: docs\/runbook\.md#[a-z-]+$/);
      expect(alarm.AlarmName).toMatch(new RegExp(`^sluice-${sectionOf(alarm)}(-|$)`));
    }
  });

  it.each(SECTIONS)('the section %s says what it means, what to look at and what to do', (section) => {
    const text = RUNBOOK.split(`### ${section}\n`)[1]?.split(/^##/m)[0] ?? '';
    expect([...text.matchAll(/^\*\*(.+?)\.\*\*/gm)].map(([, word]) => word)).toEqual(['Means', 'Look at', 'Do']);
  });

  it('links in the runbook lead somewhere', () => {
    const links = [...RUNBOOK.matchAll(/\]\(#(.+?)\)/g)].map(([, anchor]) => anchor);
    expect(links.filter((anchor) => !SECTIONS.includes(anchor ?? ''))).toEqual([]);
  });

  it('has a row for each type, with all that is to be seen of it', () => {
    for (const type of ['thumbnail', 'mail']) {
      const row = widgets.filter(({ properties }) => properties.title === type || properties.title?.startsWith(`${type}: `));
      expect(row.map(({ properties }) => properties.title)).toEqual([
        type,
        ...[
          'submissions',
          'backlog and oldest age',
          'in flight against limit, busiest lane',
          'throughput: tasks that ended',
          'outcomes by class',
          'time waiting, ms',
          'run time, ms',
          '429s and dead letters',
        ].map((title) => `${type}: ${title}`),
      ]);
      expect(row[0]?.type).toBe('alarm');
      for (const { properties } of row.slice(1)) {
        for (const metric of properties.metrics ?? []) expect(metric.slice(0, 4)).toEqual(['Sluice/sluice', metric[1], 'type', type]);
      }
      const statistics = row[6]?.properties.metrics?.map((metric) => (metric[4] as { stat: string }).stat);
      expect(statistics).toEqual(['p50', 'p90', 'p99']);
    }
    const last = (type: string) => Math.max(...widgets.filter((w) => w.properties.title?.startsWith(type)).map((w) => w.y));
    expect(last('thumbnail')).toBeLessThan(last('mail'));
  });

  it('shows every outcome that there is', () => {
    const shown = widgets.find(({ properties }) => properties.title === 'mail: outcomes by class')?.properties.metrics?.map((m) => m[1]);
    const attempts = Object.keys(METRICS).filter((name) => name.startsWith('attempt.') && name !== 'attempt.run_time');
    expect(shown).toEqual(expect.arrayContaining(attempts));
  });

  it('watches only metrics that the platform writes, and names nothing by tenant', () => {
    const own = [
      ...alarms.flatMap(watchedBy).map((m) => [m.Namespace, m.MetricName, (m.Dimensions ?? []).map(({ Name }) => Name)] as const),
      ...widgets
        .flatMap(({ properties }) => properties.metrics ?? [])
        .filter(([namespace]) => typeof namespace === 'string')
        .map(([namespace, name, ...rest]) => [namespace, name, rest.filter((_, i) => i % 2 === 0 && i < rest.length - 1)] as const),
    ];
    const platforms = own.filter(([namespace]) => namespace === 'Sluice/sluice');
    expect(platforms.length).toBeGreaterThan(60);
    for (const [, name, dimensions] of platforms) {
      const metric = METRICS[name as MetricName] as { per: string; total?: true } | undefined;
      expect(metric, String(name)).toBeDefined();
      expect(dimensions.every((dimension) => dimension === 'type')).toBe(true);
      if (dimensions.length > 0) expect(metric?.per, String(name)).toBe('type');
      else expect(metric?.per === 'platform' || metric?.total, String(name)).toBe(true);
    }
    expect(new Set(own.flatMap(([, , dimensions]) => dimensions))).toEqual(new Set(['type', 'FunctionName', 'QueueName']));
  });

  it('watches functions and queues that exist', () => {
    const named = (type: string, property: string) =>
      resourcesOf(deployment.stack, type).map(({ resource }) => resource.Properties[property]);
    const functions = named('AWS::Lambda::Function', 'FunctionName');
    const queues = named('AWS::SQS::Queue', 'QueueName');
    const values = (name: string) => [
      ...new Set(alarms.flatMap(watchedBy).flatMap((m) => (m.Dimensions ?? []).filter((d) => d.Name === name).map((d) => d.Value))),
    ];
    expect(values('FunctionName').sort()).toEqual(functions.filter((fn) => fn !== undefined && fn !== 'sluice-registrar').sort());
    expect(values('QueueName').sort()).toEqual(queues.filter((queue) => queue !== 'sluice-outcomes' && queue !== 'sluice-control').sort());
  });

  it('takes a tick that no longer comes for a late one', () => {
    expect(alarmNamed(template, 'sluice-tick-late')).toMatchObject({
      MetricName: 'tick.late',
      Threshold: 60,
      TreatMissingData: 'breaching',
      EvaluationPeriods: 5,
      DatapointsToAlarm: 4,
    });
    const others = alarms.filter(({ AlarmName }) => AlarmName !== 'sluice-tick-late');
    expect(new Set(others.map((alarm) => alarm.TreatMissingData))).toEqual(new Set(['notBreaching']));
  });

  it("holds each type to its own objective, in the metric's unit", () => {
    expect(METRICS['backlog.age'].unit).toBe('s');
    expect(alarmNamed(template, 'sluice-oldest-age-thumbnail')).toMatchObject({
      Threshold: 300,
      MetricName: 'backlog.age',
      Dimensions: [{ Name: 'type', Value: 'thumbnail' }],
    });
    expect(alarmNamed(template, 'sluice-oldest-age-mail').Threshold).toBe(900);
  });

  it('begins at 80 % of what SQS allows in flight, for every shard queue', () => {
    const inFlight = alarms.filter((alarm) => sectionOf(alarm) === 'queue-in-flight');
    expect(inFlight.map(({ Threshold }) => Threshold)).toEqual([96_000, 96_000, 96_000]);
    expect(inFlight.flatMap(watchedBy)).toHaveLength(24);
    for (const alarm of alarms) expect(watchedBy(alarm).length).toBeLessThanOrEqual(10);
  });

  it('costs what the runbook says', () => {
    const platform = alarms.filter((alarm) => !['oldest-age', 'dead-letters'].includes(sectionOf(alarm)));
    expect(platform.flatMap(watchedBy)).toHaveLength(37 + 2 * 24);
    expect(alarms.length - platform.length).toBe(2 * 2);
  });

  it('does nothing when an alarm begins, where it has no topics', () => {
    expect(alarms.filter(({ AlarmActions }) => AlarmActions !== undefined)).toEqual([]);
  });
});

describe('monitoring', () => {
  it('sends alarms to the topic of their severity, when they begin and when they end', () => {
    const { stack } = makePlatform();
    const arn = (topic: string) => `arn:aws:sns:eu-west-1:123456789012:${topic}`;
    const topics = {
      criticalTopic: Topic.fromTopicArn(stack, 'Pager', arn('pager')),
      warningTopic: Topic.fromTopicArn(stack, 'Inbox', arn('inbox')),
    };
    const deployment = makePlatform({ monitoring: { ...topics, runbookUrl: 'https://example.com/runbook' } });
    addType(deployment, 'mail');
    for (const alarm of alarmsOf(templateOf(deployment))) {
      const { severity } = ALARMS[sectionOf(alarm) as keyof typeof ALARMS];
      const actions = [arn(severity === 'critical' ? 'pager' : 'inbox')];
      expect(alarm).toMatchObject({ AlarmActions: actions, OKActions: actions });
      expect(alarm.AlarmDescription).toContain(`[${severity}]`);
      expect(alarm.AlarmDescription).toContain('https://example.com/runbook#');
    }
  });

  it('makes no stack when it is off, and the types do not mind', () => {
    const deployment = makePlatform({ monitoring: false });
    addType(deployment, 'mail');
    expect(deployment.platform.monitoring).toBeUndefined();
    expect(deployment.app.synth().stacks.map(({ stackName }) => stackName)).toEqual(['Sluice']);
  });

  it('leaves the authorizer out where there is none', () => {
    const text = JSON.stringify(templateOf(makePlatform({ auth: 'iam' })).toJSON());
    expect(text).toContain('sluice-submit');
    expect(text).not.toContain('sluice-authorizer');
  });

  it('has names and a namespace of its platform alone', () => {
    const deployment = makePlatform({ name: 'orders' });
    const text = JSON.stringify(templateOf(deployment).toJSON());
    expect(text).toContain('Sluice/orders');
    expect(text).not.toMatch(/sluice-|Sluice\/sluice/);
    const [fn] = resourcesOf(deployment.stack, 'AWS::Lambda::Function');
    expect(fn?.resource.Properties['Environment']).toMatchObject({ Variables: { POWERTOOLS_METRICS_NAMESPACE: 'Sluice/orders' } });
  });

  it('shows types of another stack without tying it to the platform any more', () => {
    const deployment = makePlatform({ shards: 1 });
    const other = new Stack(deployment.app, 'Handlers');
    const { type } = addType(deployment, 'mail', {}, other);
    const template = templateOf(deployment);
    expect(widgetsOf(template).map(({ properties }) => properties.title)).toContain(`${type}: submissions`);
    expect(JSON.stringify(template.toJSON())).not.toContain('Fn::ImportValue');
    expect(deployment.platform.monitoring?.dependencies).toEqual([deployment.stack]);
  });

  it('gives metrics for alarms of your own', () => {
    const deployment = makePlatform({ shards: 1 });
    const mail = addType(deployment, 'mail');
    expect(mail.metric('task.failed', { period: Duration.hours(1) })).toMatchObject({
      namespace: 'Sluice/sluice',
      metricName: 'task.failed',
      statistic: 'Sum',
      dimensions: { type: 'mail' },
      period: Duration.hours(1),
    });
    expect(deployment.platform.metric('tick.late')).toMatchObject({ metricName: 'tick.late', statistic: 'Maximum' });
  });

  it('fits its stack and its dashboard with the most of everything, and says what it leaves out', () => {
    const deployment = makePlatform({ shards: 64, shardsPerTenant: 2 });
    const { platform } = deployment;
    const names = Array.from({ length: MAX_TYPES + 2 }, (_, n) => `type-${'x'.repeat(50)}-${n}`);
    for (const type of names) platform.monitoring?.addTaskType({ type, ageObjective: Duration.minutes(1), concurrency: 1 });

    const template = templateOf(deployment);
    const text = JSON.stringify(template.toJSON());
    // CloudFormation takes a template of 1 MB.
    expect(text.length).toBeLessThan(1_000_000);
    expect(Object.keys((template.toJSON() as { Resources: object }).Resources).length).toBeLessThan(500);
    const widgets = widgetsOf(template);
    expect(widgets.length).toBeLessThanOrEqual(500);
    expect(widgets.flatMap(({ properties }) => properties.metrics ?? []).length).toBeLessThanOrEqual(2_500);
    for (const { properties } of widgets) expect(properties.metrics?.length ?? 0).toBeLessThanOrEqual(500);
    const rows = widgets.filter(({ type, properties }) => type === 'alarm' && properties.title?.startsWith('type-'));
    expect(rows).toHaveLength(MAX_ROWS);
    const told = widgets.flatMap(({ properties }) => properties.markdown ?? []).join(' ');
    for (const most of [`first ${MAX_ROWS} task types have rows`, `first ${MAX_TYPES} task types have alarms`]) {
      expect(told).toContain(most);
      Annotations.fromStack(platform.monitoring as Stack).hasWarning('/Sluice/Platform/Monitoring', Match.stringLikeRegexp(most));
    }
  });
});
