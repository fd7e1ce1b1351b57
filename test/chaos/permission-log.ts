import type { Permission } from '../../local/aws/aws-calls.ts';
import type { Simulation } from './simulation.ts';

/** What functions have used of their permissions, each as `<stage> <action> <kind of resource>`. */
export type PermissionLog = ReturnType<typeof createPermissionLog>;

/** Notes what the present actor's function needed; people and the harness itself need nothing. */
export function createPermissionLog(simulation: Simulation) {
  const used = new Set<string>();
  return {
    used,
    note: (...permissions: Permission[]) => {
      const [stage = ''] = (simulation.actor?.name ?? '').split('-');
      for (const { action, resource } of permissions) used.add(`${stage} ${action} ${kindOf(resource)}`);
    },
  };
}

/** `objects`, `index due`, `queue poll`: the names of resources differ between a run and a template. */
function kindOf(resource: string): string {
  const [arn, , service, , , name = ''] = resource.split(':');
  if (arn !== 'arn') return resource;
  if (service === 'dynamodb') return name.includes('/index/') ? `index ${name.split('/').at(-1)}` : 'table';
  if (service === 's3') return name.includes('/') ? 'objects' : 'bucket';
  if (service === 'sqs') return `queue ${name}`;
  return resource;
}
