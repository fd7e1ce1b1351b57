import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METRIC_NAMESPACE, METRICS } from '../../lambdas/domain/metrics.ts';
import { synthesize } from './synthesize.ts';

const { all } = synthesize();
const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const names = Object.keys(METRICS);

/** The bridge's own metrics that the template names in its dashboard and its alarms. */
function watched(): string[] {
  const dashboards = JSON.stringify(all('AWS::CloudWatch::Dashboard')).replaceAll('\\', '');
  const shown = dashboards.matchAll(new RegExp(`"${METRIC_NAMESPACE}","(\\w+)"`, 'g'));
  const alarms = all('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  const alarming = alarms.filter(({ Namespace }) => Namespace === METRIC_NAMESPACE);
  return [
    ...[...shown].map(([, name = '']) => name),
    ...alarming.map(({ MetricName }) => String(MetricName)),
  ];
}

describe('every metric', () => {
  it('of the dashboard and the alarms is one that the functions write, and all that they write are shown', () => {
    expect([...new Set(watched())].sort()).toEqual([...names].sort());
  });

  it('is documented', () => {
    const rows = read('docs/metrics.md').matchAll(/^\| `(\w+)`/gm);
    expect([...rows].map(([, name]) => name).sort()).toEqual([...names].sort());
  });
});

describe('every alarm', () => {
  const alarms = all('AWS::CloudWatch::Alarm').map(([, { Properties }]) =>
    String(Properties.AlarmDescription),
  );

  it('names the section of the runbook that says what to do', () => {
    const sections = [...read('docs/runbook.md').matchAll(/^### (\w+)$/gm)].map(([, title = '']) =>
      title.toLowerCase(),
    );
    expect(alarms.length).toBeGreaterThan(0);
    for (const description of alarms) {
      const [, section] = /docs\/runbook\.md#(\w+)$/.exec(description) ?? [];
      expect(sections, description).toContain(section);
    }
  });
});

describe('the saved queries', () => {
  it('ask the log groups of the functions', () => {
    const queries = all('AWS::Logs::QueryDefinition').map(([, { Properties }]) => Properties);
    expect(queries.map(({ Name }) => Name)).toEqual([
      "TopazWebhookBridge/one request's story",
      'TopazWebhookBridge/slowest endpoints',
      'TopazWebhookBridge/failed copies',
    ]);
    for (const { LogGroupNames } of queries) expect((LogGroupNames as unknown[]).length).toBeGreaterThan(0);
  });

  it('for failed copies lists whatever says why a copy waits, begins again, is parked or has failed', () => {
    const [query] = all('AWS::Logs::QueryDefinition')
      .map(([, { Properties }]) => Properties)
      .filter(({ Name }) => String(Name).endsWith('failed copies'));
    const [, messages = ''] = /message in (\[.*\])/.exec(String(query?.QueryString)) ?? [];
    expect(JSON.parse(messages).sort()).toEqual([
      'copy begins again',
      'copy failed',
      'copy waits',
      'parked',
      'segment waits',
      'source refused its URL',
    ]);
  });
});
