import * as z from 'zod';
import { type Answer, json } from './answer.ts';
import { describeJob, globalFaultsSchema, type Jobs, jobSchema } from './jobs.ts';

const keySchema = z.strictObject({ key: z.string().min(1) });

/** What `/_sim` steers: the jobs and the API key that is accepted. */
type Controls = { jobs: Jobs; setApiKey(key: string): void };

/** Answers the calls under `/_sim`; tests and demonstrations set the simulation up with them. */
export function answerSimulation(controls: Controls, call: string, body: string, now: number): Answer {
  const { jobs } = controls;
  switch (call) {
    case 'GET /_sim/jobs':
      return json(200, { items: jobs.list().map((job) => describeJob(job, now)) });
    case 'POST /_sim/jobs':
      return withValid(jobSchema, body, (options) => json(201, describeJob(jobs.set(options, now), now)));
    case 'POST /_sim/faults':
      return withValid(globalFaultsSchema, body, (options) => {
        jobs.setFaults(options, now);
        return json(200, options);
      });
    case 'POST /_sim/key':
      return withValid(keySchema, body, ({ key }) => {
        controls.setApiKey(key);
        return json(200, {});
      });
    default:
      return json(404, { message: `${call} is not a call of the simulation.` });
  }
}

function withValid<T>(schema: z.ZodType<T>, body: string, answer: (valid: T) => Answer): Answer {
  let content: unknown;
  try {
    content = JSON.parse(body);
  } catch {
    return json(400, { message: 'The body is not JSON.' });
  }
  const { success, data, error } = schema.safeParse(content);
  if (success) return answer(data);
  const errors = error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const message = errors.map((issue) => `${issue.path || 'body'}: ${issue.message}`).join('; ');
  return json(400, { message, errors });
}
