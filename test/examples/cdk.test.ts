import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examples } from '../../examples/cdk/app.ts';
import { runInstalled } from '../support/installed-tool.ts';

const STACKS = [
  'ExistingBucketAndKey',
  'FunctionUrlReceiver',
  'Plain',
  'SmokeTest',
  'StepFunctions',
  'VpcWithEgressFilter',
];
// W3005: the CDK also writes down dependencies that a reference implies.
const CFN_LINT = ['--format', 'parseable', '--ignore-checks', 'W3005'];
const outdir = mkdtempSync(join(tmpdir(), 'bridge-examples-'));
let assembly: CloudAssembly;

beforeAll(() => {
  const app = examples(outdir);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  assembly = app.synth();
}, 60_000);
afterAll(() => rmSync(outdir, { recursive: true, force: true }));

describe('the examples of the construct', () => {
  it('are synthesized, and cdk-nag finds nothing', () => {
    expect(assembly.stacks.map(({ stackName }) => stackName).sort()).toEqual(STACKS);
  });

  it('have the outputs that `topaz-bridge login --stack` reads', () => {
    for (const { template } of assembly.stacks) {
      expect(template.Outputs).toMatchObject({ ApiUrl: {}, ApiKeySecretArn: {} });
    }
  });

  it('are clean under cfn-lint, which is not installed everywhere', ({ skip }) => {
    const templates = assembly.stacks.map(({ templateFullPath }) => templateFullPath);
    const found = runInstalled('cfn-lint', [...templates, ...CFN_LINT]);
    skip(!found, 'cfn-lint is not installed');
    expect(found).toEqual({ stdout: '', status: 0 });
  });
});
