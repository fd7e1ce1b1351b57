import { ACCOUNT_ID } from '../runtime/resource-types.ts';
import type { Resource, Template } from '../runtime/template.ts';
import type { Permission } from './aws-calls.ts';

/** One statement of an identity policy, with its lists as lists. */
type Statement = {
  allow: boolean;
  actions: string[];
  resources: string[];
};

/** What the identity policies of one role allow. */
export type RolePolicies = {
  roleArn: string;
  statements: Statement[];
};

/** Why a permission is refused: a statement denies it, or none allows it. */
type Refusal = 'explicit deny' | 'no allow';

/**
 * The identity policies of a role: its own (inline), and those of the template that are attached to it.
 * Policies managed by AWS are left out: those that functions have concern logs and traces, which are not called
 * here. Throws on what is not evaluated here (conditions, NotAction, NotResource), so nothing is allowed unnoticed.
 */
export function policiesOf(template: Template, role: Resource): RolePolicies {
  const attached = [
    ...template.ofType('AWS::IAM::Policy'),
    ...template.ofType('AWS::IAM::ManagedPolicy'),
  ].filter(
    ({ identity, properties }) =>
      asList(properties.Roles).includes(role.identity.ref) ||
      asList(role.properties.ManagedPolicyArns).includes(identity.ref),
  );
  const documents = [
    ...asList(role.properties.Policies as { PolicyDocument: unknown }[]).map(
      ({ PolicyDocument }) => PolicyDocument,
    ),
    ...attached.map(({ properties }) => properties.PolicyDocument),
  ];
  return {
    roleArn: String(role.identity.attributes.Arn),
    statements: documents.flatMap((document) =>
      asList((document as { Statement: Record<string, unknown>[] }).Statement).map((statement) =>
        readStatement(statement, role.logicalId),
      ),
    ),
  };
}

function readStatement(statement: Record<string, unknown>, role: string): Statement {
  const { Sid: _, Effect, Action, Resource, ...rest } = statement;
  const unknown = Object.keys(rest);
  if (unknown.length > 0 || (Effect !== 'Allow' && Effect !== 'Deny')) {
    throw new Error(
      `A policy of ${role} uses ${unknown.join(', ') || `Effect ${String(Effect)}`}, which local/aws/iam.ts does not evaluate.`,
    );
  }
  return {
    allow: Effect === 'Allow',
    actions: asList(Action as string),
    resources: asList(Resource as string),
  };
}

/** Asks the policies as IAM does: a matching Deny wins, then a matching Allow; otherwise refused. */
export function refusalOf({ statements }: RolePolicies, permission: Permission): Refusal | undefined {
  const matching = statements.filter(
    ({ actions, resources }) =>
      // Actions do not distinguish upper and lower case, resources do.
      actions.some((pattern) => matches(pattern.toLowerCase(), permission.action.toLowerCase())) &&
      resources.some((pattern) => matches(pattern, permission.resource)),
  );
  if (matching.some(({ allow }) => !allow)) return 'explicit deny';
  return matching.some(({ allow }) => allow) ? undefined : 'no allow';
}

/** The sentence with which AWS refuses. */
export function refusalMessage(
  { roleArn }: RolePolicies,
  session: string,
  { action, resource }: Permission,
  refusal: Refusal,
): string {
  const user = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${roleArn.split('/').at(-1)}/${session}`;
  const reason =
    refusal === 'no allow'
      ? `because no identity-based policy allows the ${action} action`
      : 'with an explicit deny in an identity-based policy';
  return `User: ${user} is not authorized to perform: ${action} on resource: ${resource} ${reason}`;
}

function matches(pattern: string, value: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, 's').test(value);
}

function asList<T>(value: T | T[] | undefined): T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
