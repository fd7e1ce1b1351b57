import { buildApplication, buildRouteMap, text_en } from '@stricli/core';
import { completion } from './checks/completion.ts';
import { doctor } from './checks/doctor.ts';
import { verify } from './checks/verify.ts';
import type { CliContext } from './command/command.ts';
import { deliveries, delivery, retry } from './deliveries/deliveries.ts';
import { replay } from './deliveries/replay.ts';
import { endpoints } from './endpoints/endpoints.ts';
import { exportRequests } from './export/export.ts';
import { Failure } from './frame/failure.ts';
import { printable } from './frame/text.ts';
import { importRequests } from './import/import.ts';
import { listen } from './listen/listen.ts';
import { login } from './login/login.ts';
import { mcp } from './mcp/mcp.ts';
import { download } from './requests/download.ts';
import { events } from './requests/events.ts';
import { poll, purge, restart, stop } from './requests/lifecycle.ts';
import { requests } from './requests/requests.ts';
import { show } from './requests/show.ts';
import { track } from './requests/track.ts';

/** What the help begins with. */
export const ABOUT = `The command line of the webhook bridge for the Topaz Video API.

The bridge is named by --url and --key, by BRIDGE_URL and BRIDGE_API_KEY, by a profile that
"topaz-bridge login" saved (--profile NAME, or the default one), or by --stack NAME [--region R] [--profile P],
which reads a deployed CloudFormation stack. Every command takes these flags, --json and --debug.

EXIT CODES
  0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused, 5 time-out, 130 interrupted`;

/** All commands. `version`: of the package. */
export function createApp(version: string) {
  const routes = buildRouteMap<string, CliContext>({
    routes: {
      track,
      requests,
      show,
      events,
      download,
      import: importRequests,
      export: exportRequests,
      poll,
      restart,
      stop,
      purge,
      endpoints,
      deliveries,
      delivery,
      retry,
      replay,
      listen,
      verify,
      doctor,
      mcp,
      login,
      completion,
    },
    docs: {
      brief: 'The command line of the webhook bridge for the Topaz Video API',
      fullDescription: ABOUT,
    },
  });
  return buildApplication(routes, {
    name: 'topaz-bridge',
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { caseStyle: 'convert-camel-to-kebab', onlyRequiredInUsageLine: true },
    determineExitCode: (error) => (error instanceof Failure ? error.exitCode : 1),
    localization: {
      text: {
        ...text_en,
        noCommandRegisteredForInput(given) {
          if (given.input.startsWith('-')) return `Give a command before ${given.input}. See --help.`;
          const said = text_en.noCommandRegisteredForInput(given);
          return `${said}${said.endsWith('?') ? '' : '.'} See --help.`;
        },
        commandErrorResult: (error) => error.message.split('\n').map(printable).join('\n'),
        exceptionWhileParsingArguments(error, ansiColor) {
          const said = text_en.exceptionWhileParsingArguments.call(
            { formatException: (each) => (each as Error).message },
            error,
            ansiColor,
          );
          return `${said}${/[.?]$/.test(said) ? '' : '.'} See --help.`;
        },
      },
    },
  });
}
