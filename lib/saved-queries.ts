import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { COPY_FAILURES } from '../lambdas/domain/copying/copy-failures.ts';
import type { BridgeFunction, StageName } from './bridge-function.ts';

type SavedQuery = { readonly stages: readonly StageName[]; readonly lines: readonly string[] };

/** Questions to the logs, as CloudWatch Logs Insights puts them. */
const QUERIES: Record<string, SavedQuery> = {
  "one request's story": {
    stages: ['api', 'poll', 'copy', 'dispatch', 'deliver'],
    lines: [
      '# Put the id of the request in place of REQUEST_ID.',
      'fields @timestamp, message, status, outcome, reason, state, statusCode, error, @message',
      'filter @message like "REQUEST_ID"',
      'sort @timestamp asc',
      'limit 1000',
    ],
  },
  'slowest endpoints': {
    stages: ['deliver'],
    lines: [
      'filter message = "attempted"',
      'stats pct(durationMs, 95) as p95, max(durationMs) as longest, count(*) as attempts by endpointId',
      'sort p95 desc',
      'limit 20',
    ],
  },
  'failed copies': {
    stages: ['copy'],
    lines: [
      // A copy is parked by the engine, after a denied permission for example.
      `filter message in ${JSON.stringify(['copy failed', 'parked', ...COPY_FAILURES])}`,
      'stats count(*) as times, latest(reason) as lastReason, max(@timestamp) as last by requestId, message',
      'sort last desc',
      'limit 1000',
    ],
  },
};

/** Saves the queries in the account, under the name of the bridge. They cost nothing until one is run. */
export function savedQueries(
  scope: Construct,
  bridgeName: string,
  functions: Readonly<Record<StageName, BridgeFunction>>,
): void {
  for (const [name, { stages, lines }] of Object.entries(QUERIES)) {
    new CfnQueryDefinition(scope, `Query-${name.replace(/\W+/g, '-')}`, {
      name: `${bridgeName}/${name}`,
      queryString: lines.join('\n| ').replace(/^(#[^\n]*)\n\| /, '$1\n'),
      logGroupNames: stages.map((stage) => functions[stage].logGroup.logGroupName),
    });
  }
}
