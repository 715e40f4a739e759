import { UserError } from "../common/errors.ts";
import type { CommandSpec, OptionSpec } from "./commandLine.ts";

type Specs = Readonly<Record<string, CommandSpec>>;

/** A completion script for this shell, from the definitions of the commands. */
export function completionScript(shell: string | undefined, specs: Specs): string {
	if (shell === "bash") return bash(specs);
	if (shell === "zsh") return `autoload -U +X bashcompinit && bashcompinit\n${bash(specs)}`;
	if (shell === "fish") return fish(specs);
	throw new UserError(
		"usage",
		`There is no completion for '${shell ?? ""}'`,
		"Write: xv6-lab completion bash|zsh|fish.",
	);
}

function shown({ options }: CommandSpec): [string, OptionSpec][] {
	return Object.entries(options).filter(([, option]) => !option.hidden);
}

const choices = ({ value }: OptionSpec): readonly string[] => (Array.isArray(value) ? value : []);

function bash(specs: Specs): string {
	const values = new Map<string, readonly string[]>();
	const cases: string[] = [];
	for (const [name, spec] of Object.entries(specs)) {
		const list = shown(spec);
		for (const [key, option] of list) if (choices(option).length > 0) values.set(`--${key}`, choices(option));
		cases.push(`    ${name}) words="${list.map(([key]) => `--${key}`).join(" ")}" ;;`);
	}
	const valueCases = [...values].map(([key, list]) => `    ${key}) words="${list.join(" ")}" ;;`);
	return `# xv6-lab: source <(xv6-lab completion bash)
_xv6_lab() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words="" before="\${COMP_WORDS[COMP_CWORD-1]}"
  case "$before" in
${valueCases.join("\n")}
    *) if [ "$COMP_CWORD" -eq 1 ]; then words="${Object.keys(specs).join(" ")} help completion"
       elif [[ "$word" == -* ]]; then case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
       esac; fi ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ -n "$words" ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -o filenames -F _xv6_lab xv6-lab
`;
}

function fish(specs: Specs): string {
	const quote = (text: string) => `'${text.replaceAll("'", "\\'")}'`;
	const lines = Object.entries(specs).flatMap(([name, spec]) => [
		`complete -c xv6-lab -n __fish_use_subcommand -f -a ${name} -d ${quote(spec.does)}`,
		...shown(spec).map(([key, option]) => {
			const takes = option.type === "boolean" ? "" : choices(option).length > 0 ? " -x" : " -r";
			const list = choices(option).length > 0 ? ` -a ${quote(choices(option).join(" "))}` : "";
			return `complete -c xv6-lab -n '__fish_seen_subcommand_from ${name}' -l ${key}${takes}${list} -d ${quote(option.does)}`;
		}),
	]);
	return `# xv6-lab: xv6-lab completion fish | source\n${lines.join("\n")}\n`;
}
