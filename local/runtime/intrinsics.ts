/** What the intrinsic functions of a template refer to. Every lookup throws for a name it does not know. */
export type Scope = {
  /** `Ref` of a resource, a parameter or a pseudo parameter; `undefined` stands for AWS::NoValue. */
  ref(name: string): unknown;
  attribute(logicalId: string, attribute: string): string;
  condition(name: string): boolean;
  /** The value of `{{resolve:secretsmanager:<reference>}}`. */
  secret(reference: string): string;
};

type Intrinsic = (argument: unknown, scope: Scope) => unknown;

const intrinsics: Record<string, Intrinsic> = {
  Ref: (name, scope) => scope.ref(String(name)),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId, attribute] = Array.isArray(argument)
      ? argument.map(String)
      : splitOnce(String(argument), '.');
    return scope.attribute(logicalId ?? '', attribute ?? '');
  },
  'Fn::Join': (argument, scope) => {
    const [separator, parts] = argument as [string, unknown];
    return (resolve(parts, scope) as unknown[]).map(String).join(separator);
  },
  'Fn::Sub': (argument, scope) => {
    const [text, variables] = Array.isArray(argument)
      ? (argument as [string, Record<string, unknown>])
      : [String(argument), {} as Record<string, unknown>];
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (name in variables) return String(resolve(variables[name], scope));
      const [logicalId, attribute] = splitOnce(name, '.');
      return String(attribute ? scope.attribute(logicalId, attribute) : scope.ref(name));
    });
  },
  'Fn::Select': (argument, scope) => {
    const [index, list] = resolve(argument, scope) as [number | string, unknown[]];
    return list[Number(index)];
  },
  'Fn::Split': (argument, scope) => {
    const [separator, text] = resolve(argument, scope) as [string, string];
    return text.split(separator);
  },
  'Fn::If': (argument, scope) => {
    const [name, whenTrue, whenFalse] = argument as [string, unknown, unknown];
    return resolve(scope.condition(name) ? whenTrue : whenFalse, scope);
  },
  'Fn::Equals': (argument, scope) => {
    const [left, right] = resolve(argument, scope) as [unknown, unknown];
    return left === right;
  },
  'Fn::And': (argument, scope) => (resolve(argument, scope) as boolean[]).every(Boolean),
  'Fn::Or': (argument, scope) => (resolve(argument, scope) as boolean[]).some(Boolean),
  'Fn::Not': (argument, scope) => !(resolve(argument, scope) as boolean[])[0],
  Condition: (name, scope) => scope.condition(String(name)),
};

/**
 * Replaces the intrinsic functions and dynamic references in a value of a template. Properties and list entries
 * that resolve to AWS::NoValue are left out. Throws on an intrinsic function it does not know.
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') return resolveDynamicReferences(value, scope);
  if (Array.isArray(value))
    return value.map((item) => resolve(item, scope)).filter((item) => item !== undefined);
  if (value === null || typeof value !== 'object') return value;

  const entries = Object.entries(value);
  const [only] = entries;
  if (only && entries.length === 1) {
    const [name, argument] = only;
    // An IAM statement's `Condition` is an object, the intrinsic function's argument is a name.
    const intrinsic = name === 'Condition' && typeof argument !== 'string' ? undefined : intrinsics[name];
    if (intrinsic) {
      const resolved = intrinsic(argument, scope);
      return typeof resolved === 'string' ? resolveDynamicReferences(resolved, scope) : resolved;
    }
    if (name.startsWith('Fn::')) {
      throw new Error(
        `The template uses ${name}, which the local runtime does not know; add it to local/runtime/intrinsics.ts.`,
      );
    }
  }
  return Object.fromEntries(
    entries.map(([key, item]) => [key, resolve(item, scope)]).filter(([, item]) => item !== undefined),
  );
}

function resolveDynamicReferences(text: string, scope: Scope): string {
  return text.replace(/\{\{resolve:([^:]+):([^}]+)\}\}/g, (_, service: string, reference: string) => {
    if (service === 'secretsmanager') return scope.secret(reference);
    throw new Error(
      `The template uses a dynamic reference to ${service}; the local runtime knows secretsmanager only.`,
    );
  });
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
