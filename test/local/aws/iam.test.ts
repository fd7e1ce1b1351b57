import { describe, expect, it } from 'vitest';
import { policiesOf, refusalMessage, refusalOf } from '../../../local/aws/iam.ts';
import type { Resource, Template } from '../../../local/runtime/template.ts';

const role = resource('AWS::IAM::Role', 'Role', {}, 'arn:aws:iam::000000000000:role/Role');

describe('policies', () => {
  it.each([
    ['the action and resource', 'dynamodb:PutItem', 'arn:table/T', undefined],
    ['an action in other letters', 'DynamoDB:putitem', 'arn:table/T', undefined],
    ['a wildcard of actions', 's3:GetObject', 'arn:bucket/a/b', undefined],
    ['another action', 'dynamodb:GetItem', 'arn:table/T', 'no allow'],
    ['another resource', 'dynamodb:PutItem', 'arn:table/T2', 'no allow'],
    ['a resource in other letters', 'dynamodb:PutItem', 'arn:table/t', 'no allow'],
    ['a bucket, where its objects are allowed', 's3:GetObject', 'arn:bucket', 'no allow'],
    ['what a second statement denies', 's3:GetObject', 'arn:bucket/secret/a', 'explicit deny'],
  ])('judge %s', (_, action, resource, expected) => {
    const policies = read(
      { Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: 'arn:table/T' },
      { Effect: 'Allow', Action: ['s3:Get*'], Resource: ['arn:bucket/*'] },
      { Effect: 'Deny', Action: '*', Resource: 'arn:bucket/secret/?' },
    );
    expect(refusalOf(policies, { action, resource })).toBe(expected);
  });

  it('of other roles do not count', () => {
    const other = resource('AWS::IAM::Policy', 'Other', {
      Roles: ['OtherRole'],
      PolicyDocument: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
    });
    expect(policiesOf(templateOf([other]), role).statements).toEqual([]);
  });

  it('include those written into the role', () => {
    const inline = resource('AWS::IAM::Role', 'Role', {
      Policies: [{ PolicyDocument: { Statement: { Effect: 'Allow', Action: 'a:B', Resource: '*' } } }],
    });
    expect(refusalOf(policiesOf(templateOf([]), inline), { action: 'a:B', resource: 'x' })).toBeUndefined();
  });

  it('are refused when they use what is not evaluated', () => {
    const conditional = { Effect: 'Allow', Action: '*', Resource: '*', Condition: { Bool: { x: 'true' } } };
    expect(() => read(conditional)).toThrow(/Role.*Condition/);
    expect(() => read({ Effect: 'Allow', NotAction: 'a:B', Resource: '*' })).toThrow('NotAction');
  });

  it('refuse in the words of AWS', () => {
    const message = refusalMessage(
      read(),
      'poll',
      { action: 's3:GetObject', resource: 'arn:b/k' },
      'no allow',
    );
    expect(message).toBe(
      'User: arn:aws:sts::000000000000:assumed-role/Role/poll is not authorized to perform: s3:GetObject ' +
        'on resource: arn:b/k because no identity-based policy allows the s3:GetObject action',
    );
  });
});

function read(...statements: object[]) {
  const policy = resource('AWS::IAM::Policy', 'Policy', {
    Roles: ['Role'],
    PolicyDocument: { Statement: statements },
  });
  return policiesOf(templateOf([policy]), role);
}

function templateOf(resources: Resource[]): Template {
  return { ofType: (type: string) => resources.filter((each) => each.type === type) } as Template;
}

function resource(
  type: string,
  logicalId: string,
  properties: Record<string, unknown>,
  arn = logicalId,
): Resource {
  return {
    type,
    logicalId,
    path: logicalId,
    properties,
    identity: { ref: logicalId, attributes: { Arn: arn } },
  };
}
