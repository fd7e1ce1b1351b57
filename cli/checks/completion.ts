import { command } from '../command/command.ts';

type Shell = 'bash' | 'zsh' | 'fish';

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_topaz_bridge() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(topaz-bridge __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" | cut -f1)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _topaz_bridge topaz-bridge
`,
  zsh: `#compdef topaz-bridge
_topaz_bridge() {
  local -a found
  found=("\${(@f)$(topaz-bridge __complete "\${(@)words[2,CURRENT]}" | sed 's/:/\\\\:/g; s/\\t/:/')}")
  if [[ -n $found[1] ]]; then _describe 'topaz-bridge' found; else _files; fi
}
# A file of fpath is run as the first completion itself; elsewhere it is only read.
if [[ $funcstack[1] == _topaz-bridge ]]; then _topaz_bridge; else compdef _topaz_bridge topaz-bridge; fi
`,
  fish: `function __topaz_bridge
  set -l found (topaz-bridge __complete (commandline -opc)[2..] (commandline -ct))
  if set -q found[1]; printf '%s\\n' $found; else; __fish_complete_path (commandline -ct); end
end
complete -c topaz-bridge -f -a '(__topaz_bridge)'
`,
};

export const completion = command<object, [Shell]>({
  brief: 'Print the completion script of a shell',
  examples: [
    ['completion bash > ~/.local/share/bash-completion/completions/topaz-bridge', 'For bash'],
    ['completion fish > ~/.config/fish/completions/topaz-bridge.fish', 'For fish'],
    ['completion zsh > ~/.zfunc/_topaz-bridge', 'For zsh, with ~/.zfunc in fpath'],
  ],
  offline: true,
  args: {
    kind: 'tuple',
    parameters: [
      {
        brief: 'bash, zsh or fish',
        placeholder: 'SHELL',
        parse: (text: string): Shell => {
          if (!Object.hasOwn(SCRIPTS, text)) throw new Error('give bash, zsh or fish');
          return text as Shell;
        },
        proposeCompletions: () => Object.keys(SCRIPTS),
      },
    ],
  },
  async run({ out }, _flags, shell) {
    out.value({ shell, script: SCRIPTS[shell] });
    if (!out.json) out.raw(SCRIPTS[shell]);
  },
});
