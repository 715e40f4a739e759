/** One program call in a recipe line. */
export interface ShellCommand {
	readonly words: readonly string[];
	/** `> file` or `>> file` of standard output. */
	readonly output?: string;
	readonly append: boolean;
	readonly input?: string;
	/** Takes its standard input from the command before it. */
	readonly piped: boolean;
	/** Its standard output goes to the command after it. */
	readonly pipes: boolean;
}

const operator = /^(?:\d*>>|\d*>&\d|&>|\d*>|<|&&|\|\||\||;|&|\(|\))/;

/**
 * Splits a recipe line into calls. Undefined when it has control flow (`if`, `for`, `{ … }`, `$(…)`), which is more
 * than a list of calls.
 */
export function parseCommands(line: string): ShellCommand[] | undefined {
	const text = line.replace(/^[@+\-\s]+/, "");
	const commands: ShellCommand[] = [];
	let words: string[] = [];
	let output: string | undefined;
	let input: string | undefined;
	let append = false;
	let piped = false;
	let i = 0;
	const finish = (pipes: boolean) => {
		if (words.length > 0 || output !== undefined) {
			commands.push({
				words,
				...(output === undefined ? {} : { output }),
				append,
				...(input === undefined ? {} : { input }),
				piped,
				pipes,
			});
		}
		words = [];
		output = undefined;
		input = undefined;
		append = false;
		piped = pipes;
	};
	while (i < text.length) {
		if (/\s/.test(text[i] as string)) {
			i++;
			continue;
		}
		if (text[i] === "#") break;
		const op = operator.exec(text.slice(i))?.[0];
		if (op !== undefined) {
			i += op.length;
			if (op === "(" || op === ")") return undefined;
			if (op === "|") finish(true);
			else if (op === ";" || op === "&&" || op === "||" || op === "&") {
				finish(false);
				// After `||` comes what happens on failure; that is not part of the build.
				if (op === "||") return commands;
			} else if (!op.includes(">&")) {
				const target = readWord(text, skipBlanks(text, i));
				if (target === undefined) return undefined;
				i = target.end;
				if (op === "<") input = target.word;
				else if (op === ">" || op === "1>" || op === "&>") output = target.word;
				else if (op === ">>" || op === "1>>") {
					output = target.word;
					append = true;
				}
			}
			continue;
		}
		const found = readWord(text, i);
		if (found === undefined) return undefined;
		words.push(found.word);
		i = found.end;
	}
	finish(false);
	const control = new Set(["if", "for", "while", "until", "case", "{", "then", "do", "!"]);
	return commands.some((command) => control.has(command.words[0] ?? "")) ? undefined : commands;
}

function skipBlanks(text: string, at: number): number {
	let i = at;
	while (text[i] === " " || text[i] === "\t") i++;
	return i;
}

/** One word with its quotes taken off; undefined for an unclosed quote or a command substitution. */
function readWord(text: string, start: number): { word: string; end: number } | undefined {
	let word = "";
	let i = start;
	while (i < text.length) {
		const c = text[i] as string;
		if (/[\s;&|<>()]/.test(c)) break;
		if (c === "`" || (c === "$" && text[i + 1] === "(")) return undefined;
		if (c === "'" || c === '"') {
			const end = closingQuote(text, i);
			if (end < 0) return undefined;
			const inside = text.slice(i + 1, end);
			word += c === "'" ? inside : inside.replace(/\\(["\\$`])/g, "$1");
			i = end + 1;
		} else if (c === "\\" && i + 1 < text.length) {
			word += text[i + 1];
			i += 2;
		} else {
			word += c;
			i++;
		}
	}
	return { word, end: i };
}

function closingQuote(text: string, open: number): number {
	const quote = text[open];
	for (let i = open + 1; i < text.length; i++) {
		if (quote === '"' && text[i] === "\\") i++;
		else if (text[i] === quote) return i;
	}
	return -1;
}
