/** A setting that the deployment should have given is missing or wrong: the function can't start. */
class MissingEnvironment extends Error {
  override readonly name = 'MissingEnvironment';
}

/** The values of the named variables; throws {@link MissingEnvironment} that names those missing. */
export function requireEnv<K extends string>(...names: K[]): Record<K, string> {
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length > 0) {
    throw new MissingEnvironment(
      `Environment variable ${missing.join(', ')} is not set: deploy the stack again`,
    );
  }
  return Object.fromEntries(names.map((name) => [name, process.env[name]])) as Record<K, string>;
}

/** The variable as a positive number; throws {@link MissingEnvironment} when it is not one. */
export function requireNumber(name: string): number {
  const value = Number(requireEnv(name)[name]);
  if (!Number.isFinite(value) || value <= 0) {
    throw new MissingEnvironment(`Environment variable ${name} must be a positive number`);
  }
  return value;
}
