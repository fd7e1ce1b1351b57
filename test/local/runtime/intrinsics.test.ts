// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how Fn::Sub is written
import { describe, expect, it } from 'vitest';
import { resolve, type Scope } from '../../../local/runtime/intrinsics.ts';

const scope: Scope = {
  ref: (name) => (name === 'AWS::NoValue' ? undefined : `ref-${name}`),
  attribute: (logicalId, attribute) => `${logicalId}/${attribute}`,
  condition: (name) => name === 'Yes',
  secret: (reference) => `secret(${reference})`,
};

describe('resolve', () => {
  it.each([
    ['a reference', { Ref: 'A' }, 'ref-A'],
    ['an attribute as a list', { 'Fn::GetAtt': ['A', 'Arn'] }, 'A/Arn'],
    ['an attribute as text', { 'Fn::GetAtt': 'A.Arn' }, 'A/Arn'],
    [
      'a join of references',
      { 'Fn::Join': [':', ['a', { Ref: 'A' }, { 'Fn::GetAtt': ['B', 'C'] }]] },
      'a:ref-A:B/C',
    ],
    ['a substitution', { 'Fn::Sub': '${A}-${B.Arn}-${!C}' }, 'ref-A-B/Arn-${C}'],
    ['a substitution with variables', { 'Fn::Sub': ['${X}', { X: { Ref: 'A' } }] }, 'ref-A'],
    ['a selection from a split', { 'Fn::Select': [1, { 'Fn::Split': ['-', { Ref: 'A' }] }] }, 'A'],
    ['a condition that holds', { 'Fn::If': ['Yes', 'a', 'b'] }, 'a'],
    ['a condition that does not', { 'Fn::If': ['No', 'a', { Ref: 'B' }] }, 'ref-B'],
    ['logic', { 'Fn::And': [{ 'Fn::Not': [{ 'Fn::Equals': ['a', 'b'] }] }, { Condition: 'Yes' }] }, true],
    ['alternatives', { 'Fn::Or': [{ Condition: 'No' }, { 'Fn::Equals': ['a', 'a'] }] }, true],
    [
      'what has no intrinsic function',
      { a: [1, true, null, { b: 'c' }] },
      { a: [1, true, null, { b: 'c' }] },
    ],
  ])('resolves %s', (_, value, expected) => {
    expect(resolve(value, scope)).toEqual(expected);
  });

  it('leaves out properties and entries without a value', () => {
    const value = { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 'x'] };
    expect(resolve(value, scope)).toEqual({ b: ['x'] });
  });

  it('resolves a dynamic reference that a join puts together', () => {
    const value = { 'Fn::Join': ['', ['key={{resolve:secretsmanager:', { Ref: 'S' }, ':SecretString:::}}']] };
    expect(resolve(value, scope)).toBe('key=secret(ref-S:SecretString:::)');
  });

  it("keeps an IAM statement's Condition, which is no intrinsic function", () => {
    const value = { Condition: { StringEquals: { a: { Ref: 'A' } } } };
    expect(resolve(value, scope)).toEqual({ Condition: { StringEquals: { a: 'ref-A' } } });
  });

  it('refuses what it does not know by name', () => {
    expect(() => resolve({ 'Fn::FindInMap': ['A', 'B', 'C'] }, scope)).toThrow('Fn::FindInMap');
    expect(() => resolve('{{resolve:ssm:/a}}', scope)).toThrow('ssm');
  });
});
