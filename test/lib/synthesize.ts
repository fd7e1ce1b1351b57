import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import { buildApp } from '../../lib/app.ts';

export type Resource = {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
};
type Statement = {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
};

// CDK's own check of the template takes four seconds to begin; `npm run synth` runs it.
process.env.CDK_VALIDATION = 'false';

const outdir = join(tmpdir(), `bridge-synth-${process.pid}`);

/** Removes what {@link build} has written. Test files share this module, so each removes its own. */
export const removeOutput = () => rmSync(outdir, { recursive: true, force: true });

/** The app with these settings and its stack. Bundles stay where they are instead of being copied. */
export function build(settings: Record<string, unknown> = {}) {
  const app = buildApp({ outdir, context: { 'aws:cdk:disable-asset-staging': true, ...settings } });
  return { app, stack: app.node.findChild('TopazWebhookBridge') as Stack };
}

/** The template that CloudFormation would get with these settings, read by what is in it. */
export function synthesize(settings: Record<string, unknown> = {}) {
  const { app, stack } = build(settings);
  const template = app.synth().getStackArtifact(stack.artifactId).template;
  removeOutput();
  const resources: Record<string, Resource> = template.Resources;

  /** Resources of a type, by logical id. */
  const all = (type: string): [string, Resource][] =>
    Object.entries(resources).filter(([, r]) => r.Type === type);

  /** Logical id and resource of a stage's function. */
  const fn = (stage: string): [string, Resource] => {
    const found = all('AWS::Lambda::Function').find(
      ([, r]) => r.Properties.Description === `Webhook bridge: ${stage}`,
    );
    if (!found) throw new Error(`The template has no function for the stage ${stage}.`);
    return found;
  };

  const environment = (stage: string): Record<string, unknown> =>
    (fn(stage)[1].Properties.Environment as { Variables: Record<string, unknown> }).Variables;

  /** What a role, by its logical id, may do. */
  const statements = (role: string): Statement[] =>
    all('AWS::IAM::Policy')
      .filter(([, r]) => JSON.stringify(r.Properties.Roles).includes(`"${role}"`))
      .flatMap(([, r]) => (r.Properties.PolicyDocument as { Statement: Statement[] }).Statement);

  /** Of a stage's permissions, those that begin with a prefix such as `s3:`, and on what. */
  const granted = (stage: string, prefix: string) => {
    const role = (fn(stage)[1].Properties.Role as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
    return statements(role)
      .map((s) => ({
        actions: [s.Action].flat().filter((a) => a.startsWith(prefix)),
        on: JSON.stringify(s.Resource),
      }))
      .filter(({ actions }) => actions.length > 0);
  };

  return { template, resources, all, fn, environment, statements, granted };
}

/** The logical id that a `Ref` or `Fn::GetAtt` points to. */
export function target(value: unknown): string {
  const { Ref, 'Fn::GetAtt': att } = value as { Ref?: string; 'Fn::GetAtt'?: [string, string] };
  return Ref ?? att?.[0] ?? '';
}
