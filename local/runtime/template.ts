import { readFileSync } from 'node:fs';
import { join, resolve as resolvePath } from 'node:path';
import { resolve, type Scope } from './intrinsics.ts';
import { ACCOUNT_ID, type Identity, identify, type Places, REGION } from './resource-types.ts';

/** A template as CloudFormation defines it, before its intrinsic functions are resolved. */
type TemplateDocument = {
  Resources: Record<
    string,
    {
      Type: string;
      Condition?: string;
      Properties?: Record<string, unknown>;
      Metadata?: Record<string, unknown>;
    }
  >;
  Parameters?: Record<string, { Default?: unknown }>;
  Conditions?: Record<string, unknown>;
  Outputs?: Record<string, { Value: unknown; Condition?: string }>;
};

/** A resource whose properties hold no intrinsic functions any more. */
export type Resource = {
  logicalId: string;
  type: string;
  /** The construct's path, for example `Stack/Bridge/Poll/Function/Resource`; the logical id if unknown. */
  path: string;
  identity: Identity;
  properties: Record<string, unknown>;
};

/** What `cdk synth` left in a folder: the template of its one stack and the folders of its assets. */
export type SynthesizedStack = {
  name: string;
  document: TemplateDocument;
  /** The folder of the asset with this S3 key. Throws when the synth has no such asset. */
  assetDirectory(s3Key: string): string;
};

/** Reads the cloud assembly (`cdk.out`) in `directory`. Throws unless it holds exactly one stack. */
export function readStack(directory: string): SynthesizedStack {
  const { artifacts = {} } = readJson<Manifest>(join(directory, 'manifest.json'));
  const stacks = Object.entries(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
  const [only] = stacks;
  if (!only || stacks.length > 1) {
    throw new Error(`${directory} holds ${stacks.length} stacks; the local runtime boots exactly one.`);
  }
  const [name, { properties = {} }] = only;
  const assetsFile = Object.values(artifacts).find(({ type }) => type === 'cdk:asset-manifest')?.properties
    ?.file;
  const assets = assetsFile ? readJson<AssetManifest>(join(directory, assetsFile)).files : {};

  return {
    name,
    document: readJson<TemplateDocument>(join(directory, properties.templateFile ?? `${name}.template.json`)),
    assetDirectory(s3Key) {
      const asset = assets[s3Key.replace(/\.zip$/, '')];
      if (!asset) throw new Error(`${directory} holds no asset ${s3Key}; synthesize with bundling.`);
      return resolvePath(directory, asset.source.path);
    },
  };
}

type Manifest = {
  artifacts?: Record<string, { type: string; properties?: { templateFile?: string; file?: string } }>;
};

type AssetManifest = {
  files: Record<string, { source: { path: string } }>;
};

/** A template whose references are resolved to local names and addresses. */
export class Template {
  readonly resources: Resource[];
  readonly outputs: Record<string, string>;

  /**
   * Throws on a resource type, a reference or an intrinsic function that the local runtime does not know.
   * `secrets` are the generated values of secrets by logical id, for dynamic references.
   */
  constructor(stack: SynthesizedStack, places: Places, secrets: Record<string, string>) {
    const { document } = stack;
    const conditions = document.Conditions ?? {};
    const holds = (condition?: string) => condition === undefined || scope.condition(condition);
    const identities = new Map<string, Identity>();

    const pseudo: Record<string, unknown> = {
      'AWS::AccountId': ACCOUNT_ID,
      'AWS::Region': REGION,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': stack.name,
      'AWS::StackId': `arn:aws:cloudformation:${REGION}:${ACCOUNT_ID}:stack/${stack.name}/local`,
      'AWS::NoValue': undefined,
    };
    const scope: Scope = {
      ref(name) {
        if (name in pseudo) return pseudo[name];
        const parameter = document.Parameters?.[name];
        if (parameter) return parameter.Default;
        return identityOf(name).ref;
      },
      attribute(logicalId, attribute) {
        const value = identityOf(logicalId).attributes[attribute];
        if (value === undefined) {
          const type = document.Resources[logicalId]?.Type;
          throw new Error(
            `The template asks for ${attribute} of ${logicalId} (${type}), which local/runtime/resource-types.ts lacks.`,
          );
        }
        return value;
      },
      condition(name) {
        if (!(name in conditions)) throw new Error(`The template has no condition ${name}.`);
        return Boolean(resolve(conditions[name], scope));
      },
      secret(reference) {
        return secretField(reference, (secretArn) => {
          const [logicalId = ''] = [...identities].find(([, { ref }]) => ref === secretArn) ?? [];
          const value = secrets[logicalId];
          if (value === undefined) {
            throw new Error(`The template refers to the value of ${secretArn}, which it does not generate.`);
          }
          return value;
        });
      },
    };
    function identityOf(logicalId: string): Identity {
      const identity = identities.get(logicalId);
      if (!identity) throw new Error(`The template refers to ${logicalId}, which it does not define.`);
      return identity;
    }

    const present = Object.entries(document.Resources).filter(([, resource]) => holds(resource.Condition));
    for (const [logicalId, { Type }] of present) identities.set(logicalId, identify(logicalId, Type, places));

    // The host name of an HTTP API is built from its id by the CDK; here it is the local server.
    const localApi = (value: unknown): unknown => {
      if (typeof value === 'string') {
        return value.replace(/https:\/\/[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com/g, places.apiUrl);
      }
      if (Array.isArray(value)) return value.map(localApi);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, localApi(item)]));
    };
    const resolved = (value: unknown) => localApi(resolve(value, scope));

    this.resources = present.map(([logicalId, { Type, Properties = {}, Metadata }]) => ({
      logicalId,
      type: Type,
      path: String(Metadata?.['aws:cdk:path'] ?? logicalId),
      identity: identityOf(logicalId),
      properties: resolved(Properties) as Record<string, unknown>,
    }));
    this.outputs = Object.fromEntries(
      Object.entries(document.Outputs ?? {})
        .filter(([, { Condition }]) => holds(Condition))
        .map(([name, { Value }]) => [name, String(resolved(Value))]),
    );
  }

  ofType(type: string): Resource[] {
    return this.resources.filter((resource) => resource.type === type);
  }

  /** The resource of `type` that other resources know by this `Ref` or attribute value. Throws if there is none. */
  find(type: string, reference: unknown): Resource {
    const found = this.ofType(type).find(
      ({ identity }) =>
        identity.ref === reference || Object.values(identity.attributes).includes(reference as string),
    );
    if (!found) throw new Error(`The template has no ${type} known as ${String(reference)}.`);
    return found;
  }
}

/** Reads `<arn>:SecretString:<json field>:<stage>:<version>`; all after the ARN is optional. */
function secretField(reference: string, valueAt: (arn: string) => string): string {
  const parts = reference.split(':');
  const [secretArn, field] = [parts.slice(0, 7).join(':'), parts[8]];
  const value = valueAt(secretArn);
  return field ? String((JSON.parse(value) as Record<string, unknown>)[field]) : value;
}

function readJson<T>(file: string): T {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch (cause) {
    throw new Error(`${file} cannot be read; run "npx cdk synth" first.`, { cause });
  }
}
