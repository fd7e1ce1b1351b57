import { command } from '../command/command.ts';
import { confirm } from '../command/confirm.ts';
import type { ConnectionFlags } from '../connection/find-connection.ts';
import { FLAGS } from '../frame/arguments.ts';
import { EXIT, Failure, usageError } from '../frame/failure.ts';

type Flags = { default?: boolean; yes?: boolean };

export const login = command<Flags, [string?]>({
  brief: "Save a bridge's address and key as a profile",
  description:
    'Save an address and a key as a profile, after a call that tries them. Asks for what is not given by --url, --key or --stack, and asks before it replaces a profile of another address. Only you can read the file.',
  examples: [
    ['login', 'Be asked for address and key'],
    ['login local --url http://127.0.0.1:8787 --key KEY', 'Save the bridge of npm start'],
    ['login production --stack TopazWebhookBridge', 'Save a deployed bridge'],
  ],
  flags: {
    default: {
      kind: 'boolean',
      brief: 'Use it when no profile is named',
      optional: true,
      withNegated: false,
    },
    yes: FLAGS.yes,
  },
  aliases: { y: 'yes' },
  args: {
    kind: 'tuple',
    parameters: [
      {
        parse: String,
        brief: 'The name of the profile (default "default")',
        placeholder: 'NAME',
        optional: true,
      },
    ],
  },
  async run(session, flags, name = 'default') {
    const { out, process, signal } = session;
    if (!/^[\w.-]{1,64}$/.test(name))
      throw usageError('The name of a profile has letters, digits, ".", "_" and "-".');
    const [{ checkedKey, checkedUrl }, { readProfiles, saveProfile }, { createClient }] = await Promise.all([
      import('../connection/find-connection.ts'),
      import('../connection/profiles.ts'),
      import('../../client/client.ts'),
    ]);
    const given = session.named;
    const asks = given.stack === undefined && (given.url === undefined || given.key === undefined);
    const { url, key } = asks ? await ask(given) : await session.connection();
    const { [name]: former } = readProfiles(process.env).profiles;
    if (former?.url && former.url !== url)
      await confirm(session, flags.yes, `Replace the profile ${name} of ${former.url} by ${url}?`);
    const { id, role } = await createClient({ url, key, fetch: (input, init) => fetch(input, init) }).whoami({
      signal,
    });
    const path = saveProfile(process.env, name, { url, key }, flags.default ?? false);
    out.value({ profile: name, url, keyId: id, role, path });
    out.line(`The profile ${name} is saved in ${path}: ${url} with the key "${id}" (${role}).`);

    async function ask({ url: givenUrl, key: givenKey }: ConnectionFlags) {
      if (!process.stdin.isTTY || !out.terminal)
        throw usageError('There is no terminal to ask on: give --url and --key, or --stack.');
      const { isCancel, password, text } = await import('@clack/prompts');
      const answered = (answer: unknown): string => {
        if (isCancel(answer)) throw new Failure('Nothing was saved.', EXIT.interrupted);
        return String(answer);
      };
      const url = checkedUrl(
        givenUrl ??
          answered(
            await text({ message: "The bridge's address (ApiUrl)", placeholder: 'https://…', signal }),
          ),
      );
      const key = checkedKey(givenKey ?? answered(await password({ message: 'The API key', signal })));
      return { url, key };
    }
  },
});
