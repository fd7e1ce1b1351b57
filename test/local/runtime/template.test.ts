import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readStack, Template } from '../../../local/runtime/template.ts';

const places = { frontDoorUrl: 'http://127.0.0.1:1000', apiUrl: 'http://127.0.0.1:2000' };
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'template-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a template', () => {
  it('gives queues the address of the front door, for that is where the SQS client goes', () => {
    const template = load({
      Queue: { Type: 'AWS::SQS::Queue' },
      User: { Type: 'AWS::Lambda::Function', Properties: { url: { Ref: 'Queue' } } },
    });
    expect(template.ofType('AWS::Lambda::Function')[0]?.properties.url).toBe(
      'http://127.0.0.1:1000/000000000000/Queue',
    );
  });

  it('replaces the host name of the HTTP API by the local address', () => {
    const host = [
      'https://',
      { Ref: 'Api' },
      '.execute-api.',
      { Ref: 'AWS::Region' },
      '.',
      { Ref: 'AWS::URLSuffix' },
      '/',
    ];
    const template = load(
      { Api: { Type: 'AWS::ApiGatewayV2::Api' } },
      {
        Outputs: {
          ByHost: { Value: { 'Fn::Join': ['', host] } },
          ByAttribute: { Value: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } },
        },
      },
    );
    expect(template.outputs).toEqual({
      ByHost: 'http://127.0.0.1:2000/',
      ByAttribute: 'http://127.0.0.1:2000',
    });
  });

  it('leaves out resources and outputs whose condition does not hold', () => {
    const template = load(
      {
        Here: { Type: 'AWS::SQS::Queue', Condition: 'IsLocal' },
        There: { Type: 'AWS::SQS::Queue', Condition: 'IsElsewhere' },
      },
      {
        Conditions: {
          IsLocal: { 'Fn::Equals': [{ Ref: 'AWS::AccountId' }, '000000000000'] },
          IsElsewhere: { 'Fn::Not': [{ Condition: 'IsLocal' }] },
        },
        Outputs: { Gone: { Value: 'x', Condition: 'IsElsewhere' } },
      },
    );
    expect(template.resources.map(({ logicalId }) => logicalId)).toEqual(['Here']);
    expect(template.outputs).toEqual({});
  });

  it('puts the generated value of one secret into another', () => {
    const value = {
      'Fn::Join': ['', ['key {{resolve:secretsmanager:', { Ref: 'Key' }, ':SecretString:::}}']],
    };
    const template = load(
      {
        Key: { Type: 'AWS::SecretsManager::Secret' },
        Keys: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: value } },
      },
      {},
      { Key: 'k1' },
    );
    expect(template.ofType('AWS::SecretsManager::Secret')[1]?.properties.SecretString).toBe('key k1');
  });

  it('refuses a resource type that it does not know by type and logical id', () => {
    expect(() => load({ MyTable: { Type: 'AWS::Kinesis::Stream' } })).toThrow(
      /AWS::Kinesis::Stream.*MyTable/,
    );
  });

  it('refuses an unknown attribute and a reference to nothing by name', () => {
    const output = (Value: unknown) => ({ Outputs: { Out: { Value } } });
    expect(() =>
      load({ Queue: { Type: 'AWS::SQS::Queue' } }, output({ 'Fn::GetAtt': ['Queue', 'Color'] })),
    ).toThrow('Color of Queue');
    expect(() => load({}, output({ Ref: 'Nothing' }))).toThrow('Nothing');
  });

  it('finds the folder of an asset by its key', () => {
    load({});
    expect(readStack(directory).assetDirectory('abc.zip')).toBe(join(directory, 'asset.abc'));
    expect(() => readStack(directory).assetDirectory('other.zip')).toThrow('other.zip');
  });

  it('says what to do when nothing has been synthesized', () => {
    expect(() => readStack(join(directory, 'none'))).toThrow('cdk synth');
  });
});

/** Writes a cloud assembly with this template and loads it. */
function load(resources: object, rest: object = {}, secrets: Record<string, string> = {}): Template {
  const write = (name: string, content: object) =>
    writeFileSync(join(directory, name), JSON.stringify(content));
  mkdirSync(join(directory, 'asset.abc'), { recursive: true });
  write('manifest.json', {
    artifacts: {
      'S.assets': { type: 'cdk:asset-manifest', properties: { file: 'S.assets.json' } },
      S: { type: 'aws:cloudformation:stack', properties: { templateFile: 'S.template.json' } },
    },
  });
  write('S.assets.json', { files: { abc: { source: { path: 'asset.abc', packaging: 'zip' } } } });
  write('S.template.json', { Resources: resources, ...rest });
  return new Template(readStack(directory), places, secrets);
}
