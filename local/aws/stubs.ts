import { randomUUID } from 'node:crypto';

/** An answer to a call that no emulator serves. */
export type StubAnswer = {
  status: number;
  body: Record<string, unknown>;
};

/** An entry of EventBridge `PutEvents`, as the caller sent it. */
export type PutEvent = {
  EventBusName?: string;
  Source?: string;
  DetailType?: string;
  Detail?: string;
};

/** Answers Secrets Manager's `GetSecretValue`; `find` takes an ARN or a name. */
export function getSecretValue(
  body: Record<string, unknown>,
  find: (id: string) => { arn: string; name: string; value: string } | undefined,
): StubAnswer {
  const secret = find(String(body.SecretId));
  if (!secret) {
    return awsError(400, 'ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }
  return {
    status: 200,
    body: {
      ARN: secret.arn,
      Name: secret.name,
      SecretString: secret.value,
      VersionId: 'local',
      VersionStages: ['AWSCURRENT'],
    },
  };
}

/** Answers EventBridge's `PutEvents`, passing each entry on. */
export function putEvents(body: Record<string, unknown>, onEvent: (event: PutEvent) => void): StubAnswer {
  const entries = body.Entries as PutEvent[];
  for (const entry of entries) onEvent(entry);
  return {
    status: 200,
    body: { FailedEntryCount: 0, Entries: entries.map(() => ({ EventId: randomUUID() })) },
  };
}

/** An error as the services with a JSON protocol shape it. */
export function awsError(status: number, code: string, message: string): StubAnswer {
  return { status, body: { __type: `com.amazonaws#${code}`, message, Message: message } };
}
